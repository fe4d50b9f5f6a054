package ai.lockstep.udf.decode;

import ai.lockstep.udf.decode.Uniforms.Draw;
import ai.lockstep.udf.model.LogitsStatistics;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.Sampling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The loop that every decoder shares: propose, accept, commit, refresh. An {@link Algorithm} makes
 * the decisions; this class draws the random numbers, lets hooks look and change, writes tokens,
 * and keeps the trace.
 */
final class Row implements RowDecoder {

  private final DecodeRequest request;
  private final Canvas canvas;
  private final Algorithm algorithm;
  private final Sampling sampling;
  private final Hooks hooks;
  private final Uniforms uniforms;
  private final ModelSpec spec;
  private final int maxLength;

  private final List<Commit> commits = new ArrayList<>();
  private final List<PassRecord> passes = new ArrayList<>();
  private Optional<Step> step = Optional.empty();
  private boolean started;
  private boolean replayable = true;

  /**
   * @param maxLength the most positions the canvas will ever have
   */
  Row(
      DecodeRequest request,
      Canvas canvas,
      Algorithm algorithm,
      ProposalSettings proposals,
      Uniforms uniforms,
      ModelSpec spec,
      int maxLength) {
    this.request = request;
    this.canvas = canvas;
    this.algorithm = algorithm;
    this.sampling = proposals.sampling();
    this.hooks = proposals.hooks();
    this.uniforms = uniforms;
    this.spec = spec;
    this.maxLength = maxLength;
  }

  @Override
  public Optional<Pass> nextPass() {
    if (!started) {
      started = true;
      hooks.tokens().ifPresent(hook -> rewrite(hook.start(canvas.tokens()), -1, 0));
      step = propose();
    }

    return step.map(Step::pass);
  }

  /** Propose: the algorithm's question, with this row's way of choosing tokens. */
  private Optional<Step> propose() {
    return algorithm.propose(canvas).map(next -> next.with(sampled(next.pass())));
  }

  private Pass sampled(Pass pass) {
    double[] draws = new double[sampling.draws() ? pass.targetCount() : 0];
    for (int i = 0; i < draws.length; i++) {
      draws[i] = uniforms.at(Draw.TOKEN, passes.size(), pass.target(i));
    }
    Pass sampled = pass.withSampling(sampling, draws);
    if (algorithm.score().readsSpread()) {
      sampled = sampled.withSpread();
    }

    return hooks.isEmpty() ? sampled : sampled.withLogits();
  }

  @Override
  public void accept(Proposals answer, long wallMicros) {
    Step current = step.orElseThrow(() -> new IllegalStateException("The row asked for no pass"));
    Pass pass = current.pass();
    int nfe = passes.size();
    canvas.read(pass);

    Optional<PositionLogits> logits = hookedLogits(pass, answer, nfe);
    Proposals proposals =
        logits.map(z -> LogitsStatistics.of(spec).propose(pass, z.rows())).orElse(answer);

    Candidates candidates = Candidates.of(nfe, pass.targets(), proposals);
    List<Accepted> accepted = new ArrayList<>(algorithm.accept(canvas, candidates));
    accepted.removeIf(token -> token.token() == canvas.maskId()); // it stays a mask
    accepted.sort(Comparator.comparingInt(Accepted::position));

    accepted.forEach(token -> commit(token, nfe, current.sweep()));
    passes.add(record(nfe, current, accepted, wallMicros));
    if (hooks.tokens().isPresent()) {
      PositionLogits seen = suppressed(logits.orElseThrow());
      rewrite(hooks.tokens().get().apply(nfe, canvas.tokens(), seen), nfe, current.sweep());
    }

    step = propose();
  }

  /** The logits after the hook; empty when no hook asks for any. */
  private Optional<PositionLogits> hookedLogits(Pass pass, Proposals answer, int nfe) {
    if (hooks.isEmpty()) {
      return Optional.empty();
    }
    float[][] rows = new float[pass.targetCount()][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] =
          answer
              .logits(i)
              .orElseThrow(() -> new IllegalStateException("The model gave no logits to hooks"))
              .clone();
    }
    PositionLogits logits = new PositionLogits(pass.targets(), rows);

    return Optional.of(
        hooks.logits().map(hook -> hook.apply(nfe, pass.tokens(), logits)).orElse(logits));
  }

  private PositionLogits suppressed(PositionLogits logits) {
    if (sampling.suppressSpecial()) {
      for (float[] row : logits.rows()) {
        row[spec.maskId()] = Float.NEGATIVE_INFINITY;
        Arrays.fill(row, spec.tokenCount(), spec.vocabSize(), Float.NEGATIVE_INFINITY);
      }
    }

    return logits;
  }

  private void commit(Accepted token, int nfe, int sweep) {
    canvas.write(token.position(), token.token());
    commits.add(
        new Commit(
            nfe,
            sweep,
            token.position(),
            token.token(),
            token.p(),
            token.score(),
            token.logProbability(),
            canvas.blockName(token.position()),
            token.kind()));
  }

  private static PassRecord record(int nfe, Step step, List<Accepted> accepted, long wallMicros) {
    int committed = 0;
    int forced = 0;
    double sumOfP = 0;
    for (Accepted token : accepted) {
      if (token.kind() != CommitKind.EOS_FILL) {
        committed++;
        sumOfP += token.p();
      }
      if (token.kind() == CommitKind.FORCED) {
        forced++;
      }
    }

    return new PassRecord(
        nfe,
        step.sweep(),
        step.blocks(),
        step.pass().targetCount(),
        committed,
        forced,
        (float) (sumOfP / committed), // 0 / 0 is NaN: nothing was committed
        wallMicros);
  }

  /** Takes over what a tokens hook returned. */
  private void rewrite(int[] tokens, int nfe, int sweep) {
    if (tokens.length != canvas.length()) {
      throw new IllegalStateException(
          "Cannot decode row %s: its tokens hook returned %d ids for %d positions."
              .formatted(request.id(), tokens.length, canvas.length()));
    }
    for (int position = 0; position < tokens.length; position++) {
      if (tokens[position] == canvas.token(position)) {
        continue;
      }
      replayable = false;
      if (canvas.isInBlock(position)) {
        commit(Accepted.unproposed(position, tokens[position], CommitKind.HOOK), nfe, sweep);
      } else {
        canvas.write(position, tokens[position]);
      }
    }
  }

  @Override
  public int maxLength() {
    return maxLength;
  }

  @Override
  public Completion completion() {
    if (!started || step.isPresent()) {
      throw new IllegalStateException("Row " + request.id() + " is not finished");
    }
    int[] tokens = canvas.tokens();

    return new Completion(
        request.id(),
        request.promptIds(),
        Arrays.copyOfRange(tokens, canvas.promptLength(), tokens.length),
        canvas.blocks(),
        commits,
        passes,
        replayable);
  }
}
