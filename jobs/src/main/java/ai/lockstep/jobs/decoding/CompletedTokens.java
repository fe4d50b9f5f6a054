package ai.lockstep.jobs.decoding;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;

/**
 * The tokens of a decoded sample, and which of them a decoder chose.
 *
 * @param prompt ids of the prompt
 * @param tokens ids of the whole row: the prompt, then the completion with its markers
 * @param indexes of R's and A's tokens within the completion, ascending
 * @param positions of the same tokens in the whole row
 */
public record CompletedTokens(int[] prompt, int[] tokens, int[] indexes, int[] positions) {

  /** Reads a row with {@code prompt_ids}, {@code token_ids} and {@code commit_block}. */
  public static CompletedTokens of(Row row) {
    int[] prompt = ints(row, "prompt_ids");
    int[] completion = ints(row, "token_ids");
    int[] tokens = Arrays.copyOf(prompt, prompt.length + completion.length);
    System.arraycopy(completion, 0, tokens, prompt.length, completion.length);
    int[] block = ints(row, "commit_block");
    int[] indexes = IntStream.range(0, block.length).filter(i -> block[i] >= 0).toArray();
    int[] positions = Arrays.stream(indexes).map(i -> prompt.length + i).toArray();
    return new CompletedTokens(prompt, tokens, indexes, positions);
  }

  /** A column of whole numbers of any width. */
  static int[] ints(Row row, String column) {
    return row.<Number>getList(row.fieldIndex(column)).stream()
        .mapToInt(Number::intValue)
        .toArray();
  }
}
