package ai.lockstep.udf.model;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What one row asks of one forward pass. Immutable; built by {@link #full} or {@link #window} and
 * refined by the {@code with} methods.
 *
 * <p>A row is never padded here: positions are 0..length-1, and the model pads a batch by itself.
 *
 * <p><b>Caches.</b> A slot remembers, per position, the key, the value and the final hidden state
 * from the last pass that had the position in its window. A pass feeds its window, overwrites those
 * entries, and attends to every position of the row: fresh inside the window, remembered outside.
 * All caches of the papers are windows:
 *
 * <ul>
 *   <li>no cache, or the refresh at a block's start: the whole row;
 *   <li>Fast-dLLM's prefix cache: from the block's start to the row's end;
 *   <li>Fast-dLLM's dual cache: the block alone;
 *   <li>lockstep's: the block, a halo around it, and whatever changed elsewhere;
 *   <li>D2F: from the first block not yet cached to the end, under the block-causal mask.
 * </ul>
 *
 * <p>A target whose source position (see {@link Alignment}) lies outside the window is predicted
 * from the remembered hidden state.
 */
public final class Pass {

  private static final int[] NONE = {};
  private static final double[] NO_UNIFORMS = {};

  private final int[] tokens;
  private final int[] window;
  private final int[] targets;
  private final int[] blockEnds;
  private final Alignment alignment;
  private final Sampling sampling;
  private final double[] uniforms;
  private final Wanted wanted;
  private final int[] unconditionalTokens;
  private final double guidanceScale;

  /** What is asked beyond the chosen token and its probability. */
  private record Wanted(int[] givenTokens, boolean spread, boolean logits) {}

  private Pass(
      int[] tokens,
      int[] window,
      int[] targets,
      int[] blockEnds,
      Alignment alignment,
      Sampling sampling,
      double[] uniforms,
      Wanted wanted,
      int[] unconditionalTokens,
      double guidanceScale) {
    requireWindow(window, tokens.length);
    this.tokens = tokens;
    this.window = window;
    this.targets = targets;
    this.blockEnds = blockEnds;
    this.alignment = alignment;
    this.sampling = sampling;
    this.uniforms = uniforms;
    this.wanted = wanted;
    this.unconditionalTokens = unconditionalTokens;
    this.guidanceScale = guidanceScale;
  }

  /**
   * A pass over the whole row, greedy and unfiltered.
   *
   * @param tokens the row's ids, copied
   * @param targets positions to predict, ascending, copied
   */
  public static Pass full(int[] tokens, int[] targets, Alignment alignment) {
    return window(tokens, 0, tokens.length, targets, alignment);
  }

  /** A pass that feeds only the positions {@code from} (inclusive) to {@code to} (exclusive). */
  public static Pass window(int[] tokens, int from, int to, int[] targets, Alignment alignment) {
    return window(tokens, IntStream.range(from, to).toArray(), targets, alignment);
  }

  /**
   * A pass that feeds chosen positions.
   *
   * @param window at least one position, ascending, copied
   */
  public static Pass window(int[] tokens, int[] window, int[] targets, Alignment alignment) {
    return new Pass(
        tokens.clone(),
        window.clone(),
        targets.clone(),
        NONE,
        alignment,
        Sampling.GREEDY,
        NO_UNIFORMS,
        new Wanted(NONE, false, false),
        NONE,
        0);
  }

  private static void requireWindow(int[] window, int length) {
    int next = 0;
    for (int position : window) {
      if (position < next || position >= length) {
        throw new IllegalArgumentException(
            "Window %s does not ascend within a row of %d positions"
                .formatted(Arrays.toString(window), length));
      }
      next = position + 1;
    }
    if (window.length == 0) {
      throw new IllegalArgumentException("A pass must read at least one position");
    }
  }

  /**
   * Restricts attention to the block-causal mask: position i sees j iff block(j) &lt;= block(i).
   *
   * @param blockEnds the exclusive end of every block, ascending, the last one the row's length
   */
  public Pass withBlockCausalMask(int[] blockEnds) {
    return new Pass(
        tokens,
        window,
        targets,
        blockEnds.clone(),
        alignment,
        sampling,
        uniforms,
        wanted,
        unconditionalTokens,
        guidanceScale);
  }

  /**
   * Sets how tokens are chosen.
   *
   * @param uniforms one number in [0, 1) per target when {@link Sampling#draws()}, else empty. The
   *     drawn token is the first id whose cumulative probability exceeds the number
   */
  public Pass withSampling(Sampling sampling, double[] uniforms) {
    if (uniforms.length != (sampling.draws() ? targets.length : 0)) {
      throw new IllegalArgumentException(
          "%d uniforms for %d targets at temperature %s"
              .formatted(uniforms.length, targets.length, sampling.temperature()));
    }
    return new Pass(
        tokens,
        window,
        targets,
        blockEnds,
        alignment,
        sampling,
        uniforms.clone(),
        wanted,
        unconditionalTokens,
        guidanceScale);
  }

  /** Also asks for ln softmax(z)[given] at every target: unfiltered, temperature 1. */
  public Pass withGivenTokens(int[] givenTokens) {
    if (givenTokens.length != targets.length) {
      throw new IllegalArgumentException(
          "%d given tokens for %d targets".formatted(givenTokens.length, targets.length));
    }
    return wanting(new Wanted(givenTokens.clone(), wanted.spread, wanted.logits));
  }

  /** Also asks how spread the filtered distribution is: its margin and its entropy. */
  public Pass withSpread() {
    return wanting(new Wanted(wanted.givenTokens, true, wanted.logits));
  }

  /** Also asks for the raw logits of every target: vocabSize floats each, for hooks only. */
  public Pass withLogits() {
    return wanting(new Wanted(wanted.givenTokens, wanted.spread, true));
  }

  private Pass wanting(Wanted wanted) {
    return new Pass(
        tokens,
        window,
        targets,
        blockEnds,
        alignment,
        sampling,
        uniforms,
        wanted,
        unconditionalTokens,
        guidanceScale);
  }

  /**
   * Classifier-free guidance (LLaDA): logits = un + (scale + 1) (cond - un), where {@code un} comes
   * from a second row. Only without a cache slot.
   */
  public Pass withGuidance(int[] unconditionalTokens, double scale) {
    return new Pass(
        tokens,
        window,
        targets,
        blockEnds,
        alignment,
        sampling,
        uniforms,
        wanted,
        unconditionalTokens.clone(),
        scale);
  }

  /** Number of positions of the row. */
  public int length() {
    return tokens.length;
  }

  /** Id at a position. */
  public int token(int position) {
    return tokens[position];
  }

  /** A copy of the row's ids. */
  public int[] tokens() {
    return tokens.clone();
  }

  /** First position fed. */
  public int from() {
    return window[0];
  }

  /** End of the positions fed, exclusive. */
  public int to() {
    return window[window.length - 1] + 1;
  }

  /** Number of positions fed. */
  public int windowLength() {
    return window.length;
  }

  /** The {@code index}-th position fed. */
  public int windowPosition(int index) {
    return window[index];
  }

  /** Whether every position is fed. */
  public boolean windowIsWholeRow() {
    return window.length == tokens.length;
  }

  /** Number of positions to predict. */
  public int targetCount() {
    return targets.length;
  }

  /** The {@code index}-th position to predict. */
  public int target(int index) {
    return targets[index];
  }

  /** A copy of the positions to predict. */
  public int[] targets() {
    return targets.clone();
  }

  /** Exclusive ends of the blocks of the block-causal mask; empty for full attention. */
  public int[] blockEnds() {
    return blockEnds.clone();
  }

  /** Which output predicts a target. */
  public Alignment alignment() {
    return alignment;
  }

  /** How tokens are chosen. */
  public Sampling sampling() {
    return sampling;
  }

  /** A copy of the uniforms, one a target, or empty. */
  public double[] uniforms() {
    return uniforms.clone();
  }

  /** A copy of the tokens whose log-probability is asked, one a target, or empty. */
  public int[] givenTokens() {
    return wanted.givenTokens.clone();
  }

  /** Whether margin and entropy are asked. */
  public boolean spreadWanted() {
    return wanted.spread;
  }

  /** Whether raw logits are asked. */
  public boolean logitsWanted() {
    return wanted.logits;
  }

  /** A copy of the unconditional row, or empty without guidance. */
  public int[] unconditionalTokens() {
    return unconditionalTokens.clone();
  }

  /** Guidance scale; 0 without guidance. */
  public double guidanceScale() {
    return guidanceScale;
  }

  @Override
  public String toString() {
    return "Pass[%d positions, %d read in %d..%d, targets %s]"
        .formatted(tokens.length, window.length, from(), to(), Arrays.toString(targets));
  }
}
