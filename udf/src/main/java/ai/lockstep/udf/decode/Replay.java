package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Goes through the states of a row that was decoded before and asks the model again for the
 * log-probability of what was committed in each: for a check of stored values, or for those of
 * another policy.
 *
 * <p>The state before pass f holds the prompt and every token committed by an earlier pass; the
 * rest is masked. It is rebuilt from the tokens, their passes and the commits that were overwritten
 * alone. That is what the decoder's model saw when the decoder fed whole rows: {@code
 * decode.cache=none}, and not D2F, which lets a row grow. Classifier-free guidance and logits hooks
 * change log-probabilities in ways that are not rebuilt.
 *
 * <p>Its completion has one commit for each chosen token, in order of pass and position, with the
 * log-probability and without p and score. Cost: one full pass for each distinct pass of a chosen
 * token.
 */
public final class Replay implements Decoder {

  private final int[] tokenIds;
  private final int[] commitNfe;
  private final boolean[] chosen;
  private final List<Overwritten> overwritten;
  private final Optional<Alignment> alignment;

  /**
   * All arrays count from the end of the prompt.
   *
   * @param tokenIds the completion
   * @param commitNfe the pass that committed each token; -1 for what was there before the first
   * @param chosen whose log-probabilities are wanted; their {@code commitNfe} is 0 or more
   * @param overwritten commits that are not in {@code tokenIds}
   * @param alignment empty for the model's own
   */
  public Replay(
      int[] tokenIds,
      int[] commitNfe,
      boolean[] chosen,
      List<Overwritten> overwritten,
      Optional<Alignment> alignment) {
    if (commitNfe.length != tokenIds.length || chosen.length != tokenIds.length) {
      throw new IllegalArgumentException(
          "%d tokens with %d passes and %d marks"
              .formatted(tokenIds.length, commitNfe.length, chosen.length));
    }
    this.tokenIds = tokenIds.clone();
    this.commitNfe = commitNfe.clone();
    this.chosen = chosen.clone();
    this.overwritten = List.copyOf(overwritten);
    this.alignment = alignment;
  }

  @Override
  public boolean usesCache() {
    return false;
  }

  @Override
  public RowDecoder start(DecodeRequest request, ModelSpec spec) {
    return new States(request, spec);
  }

  /** The completion as it stood before a pass, with masks where nothing was committed. */
  int[] stateBefore(int nfe, int maskId) {
    int[] state = new int[tokenIds.length];
    for (int index = 0; index < state.length; index++) {
      state[index] = commitNfe[index] < nfe ? tokenIds[index] : maskId;
    }
    for (Overwritten old : overwritten) {
      if (old.nfe() < nfe && commitNfe[old.index()] >= nfe) {
        state[old.index()] = old.token();
      }
    }

    return state;
  }

  private final class States implements RowDecoder {

    private final DecodeRequest request;
    private final ModelSpec spec;
    private final Deque<Integer> left = new ArrayDeque<>();
    private final List<Commit> commits = new ArrayList<>();
    private Optional<Pass> pass;

    private States(DecodeRequest request, ModelSpec spec) {
      this.request = request;
      this.spec = spec;
      TreeSet<Integer> passes = new TreeSet<>();
      IntStream.range(0, chosen.length)
          .filter(index -> chosen[index])
          .forEach(index -> passes.add(commitNfe[index]));
      left.addAll(passes);
      pass = next();
    }

    private Optional<Pass> next() {
      if (left.isEmpty()) {
        return Optional.empty();
      }
      int nfe = left.peek();
      int[] prompt = request.promptIds();
      int[] row = Arrays.copyOf(prompt, maxLength());
      System.arraycopy(stateBefore(nfe, spec.maskId()), 0, row, prompt.length, tokenIds.length);
      int[] indexes =
          IntStream.range(0, chosen.length)
              .filter(index -> chosen[index] && commitNfe[index] == nfe)
              .toArray();
      int[] targets = Arrays.stream(indexes).map(index -> prompt.length + index).toArray();
      int[] given = Arrays.stream(indexes).map(index -> tokenIds[index]).toArray();

      return Optional.of(
          Pass.full(row, targets, alignment.orElse(spec.alignment())).withGivenTokens(given));
    }

    @Override
    public Optional<Pass> nextPass() {
      return pass;
    }

    @Override
    public void accept(Proposals proposals, long wallMicros) {
      Pass asked = pass.orElseThrow(() -> new IllegalStateException("The row asked for no pass"));
      int nfe = left.remove();
      for (int i = 0; i < asked.targetCount(); i++) {
        int position = asked.target(i);
        commits.add(
            new Commit(
                nfe,
                0,
                position,
                tokenIds[position - request.promptIds().length],
                Float.NaN,
                Float.NaN,
                proposals.givenLogProbability(i),
                "",
                CommitKind.SCHEDULED));
      }
      pass = next();
    }

    @Override
    public int maxLength() {
      return request.promptIds().length + tokenIds.length;
    }

    @Override
    public Completion completion() {
      return new Completion(
          request.id(), request.promptIds(), tokenIds, List.of(), commits, List.of(), true);
    }
  }
}
