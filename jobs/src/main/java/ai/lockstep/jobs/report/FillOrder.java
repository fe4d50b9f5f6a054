package ai.lockstep.jobs.report;

import ai.lockstep.udf.decode.CommitKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import org.apache.spark.sql.Row;

/**
 * In which order a sample was filled: its tokens, each with the pass that committed it, and the
 * passes.
 *
 * @param task task id
 * @param sample sample within the task, from 0
 * @param tokens of the generated part in reading order, markers included
 * @param blocks the filled spans
 * @param passes the sample's passes, number 0 first
 */
record FillOrder(
    String task, int sample, List<Token> tokens, List<Block> blocks, List<Pass> passes) {

  /** A pass before all others: the markers stand there from the start. */
  static final int FROM_THE_START = -1;

  private static final CommitKind[] KINDS = CommitKind.values();

  FillOrder {
    tokens = List.copyOf(tokens);
    blocks = List.copyOf(blocks);
    passes = List.copyOf(passes);
  }

  /**
   * A token.
   *
   * @param text what it stands for
   * @param pass that committed it, or {@link #FROM_THE_START}
   * @param forced whether it was committed without meeting a threshold
   * @param block index into the blocks, or -1 for markers
   */
  record Token(String text, int pass, boolean forced, int block) {

    /** The text on one line: line ends and controls as signs, end tokens as a point. */
    String shown() {
      if (text.startsWith("<|") && text.endsWith("|>")) {
        return "·";
      }
      return text.replace("\n", "↵")
          .replace("\t", "→")
          .replaceAll("\\p{Cntrl}", "·")
          .replace('\uFFFD', '?');
    }

    /** Whether a line ends behind it. */
    boolean endsLine() {
      return text.endsWith("\n");
    }
  }

  /**
   * A filled span.
   *
   * @param name such as R or A
   * @param start index of its first token
   * @param length tokens
   */
  record Block(String name, int start, int length) {}

  /**
   * A forward pass.
   *
   * @param targets names of the blocks it filled
   * @param committed tokens, eos_fill not counted
   * @param forced how many of those met no threshold
   */
  record Pass(String targets, int committed, int forced) {}

  /**
   * Reads a row of {@code completions}.
   *
   * @param text the text of an id
   */
  static FillOrder of(Row row, IntFunction<String> text) {
    int promptLength = row.getList(row.fieldIndex("prompt_ids")).size();
    List<Integer> ids = row.getList(row.fieldIndex("token_ids"));
    List<Number> passOf = row.getList(row.fieldIndex("commit_nfe"));
    List<Number> kindOf = row.getList(row.fieldIndex("commit_kind"));
    List<Number> blockOf = row.getList(row.fieldIndex("commit_block"));
    List<Token> tokens = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      int kind = kindOf.get(i).intValue();
      tokens.add(
          new Token(
              text.apply(ids.get(i)),
              passOf.get(i).intValue(),
              kind >= 0 && KINDS[kind] == CommitKind.FORCED,
              blockOf.get(i).intValue()));
    }
    List<Block> blocks = new ArrayList<>();
    for (Row block : row.<Row>getList(row.fieldIndex("blocks"))) {
      blocks.add(
          new Block(
              block.getAs("name"),
              block.<Integer>getAs("start") - promptLength,
              block.getAs("length")));
    }
    List<Pass> passes = new ArrayList<>();
    for (Row pass : row.<Row>getList(row.fieldIndex("passes"))) {
      passes.add(new Pass(pass.getAs("blocks"), pass.getAs("committed"), pass.getAs("forced")));
    }
    return new FillOrder(
        row.getAs("task_id"), row.<Integer>getAs("sample_index"), tokens, blocks, passes);
  }

  /** Tokens of a block that stand after a pass, those behind an end token included. */
  int filled(Block block, int pass) {
    int filled = 0;
    for (Token token : tokens.subList(block.start, block.start + block.length)) {
      if (token.pass <= pass) {
        filled++;
      }
    }
    return filled;
  }

  /** One line on a pass: {@code pass 4 of 21 R 3 tokens, 1 forced}. */
  String line(int pass) {
    Pass done = passes.get(pass);
    return String.format(
        Locale.ROOT,
        "pass %d of %d  %s  %d token%s%s",
        pass + 1,
        passes.size(),
        done.targets,
        done.committed,
        done.committed == 1 ? "" : "s",
        done.forced == 0 ? "" : ", %d forced".formatted(done.forced));
  }
}
