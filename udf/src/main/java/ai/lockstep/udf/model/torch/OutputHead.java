package ai.lockstep.udf.model.torch;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.Sampling;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns the states (or logits) that a kernel holds after a pass into proposals: only the positions
 * that predict a target are looked at, {@link #SLICE} at a time, so that memory is bounded at a few
 * times SLICE x vocabulary floats whatever the batch.
 */
final class OutputHead {

  /** Targets per call of the kernel's head: 1024 x 152064 float32 are 0.6 GB. */
  private static final int SLICE = 1024;

  private static final long[] NO_LONGS = {};
  private static final double[] NO_DOUBLES = {};

  private final DreamKernel kernel;
  private final ModelSpec spec;

  OutputHead(DreamKernel kernel, ModelSpec spec) {
    this.kernel = kernel;
    this.spec = spec;
  }

  /**
   * A row whose targets are to be answered.
   *
   * @param answer index of its answer
   * @param pass what is asked
   * @param states where the states of its positions begin
   * @param freeStates where those of its unconditional twin begin; not read without one
   */
  record Row(int answer, Pass pass, long states, long freeStates) {}

  /** What must be equal for targets of different rows to be answered by one call. */
  private record Question(
      Sampling sampling,
      boolean guided,
      double scale,
      boolean given,
      boolean spread,
      boolean logits) {

    static Question of(Pass pass) {
      return new Question(
          pass.sampling(),
          pass.unconditionalTokens().length > 0,
          pass.guidanceScale(),
          pass.givenTokens().length > 0,
          pass.spreadWanted(),
          pass.logitsWanted());
    }
  }

  /** Writes every row's proposals to its place in the answers. */
  void answer(List<Row> rows, Proposals[] answers) {
    Map<Question, List<Row>> groups = new LinkedHashMap<>();
    for (Row row : rows) {
      if (row.pass.targetCount() == 0) {
        answers[row.answer] = StatisticsTable.NONE;
      } else {
        groups.computeIfAbsent(Question.of(row.pass), asked -> new ArrayList<>()).add(row);
      }
    }
    groups.forEach((question, group) -> answer(question, group, answers));
  }

  private void answer(Question question, List<Row> group, Proposals[] answers) {
    int count = group.stream().mapToInt(row -> row.pass.targetCount()).sum();
    long[] sources = new long[count];
    long[] freeSources = question.guided ? new long[count] : NO_LONGS;
    long[] given = question.given ? new long[count] : NO_LONGS;
    double[] uniforms = question.sampling.draws() ? new double[count] : NO_DOUBLES;
    int at = 0;
    for (Row row : group) {
      Pass pass = row.pass;
      int[] passGiven = pass.givenTokens();
      double[] passUniforms = pass.uniforms();
      for (int i = 0; i < pass.targetCount(); i++, at++) {
        int source = pass.alignment().source(pass.target(i));
        sources[at] = row.states + source;
        if (question.guided) {
          freeSources[at] = row.freeStates + source;
        }
        if (question.given) {
          given[at] = passGiven[i];
        }
        if (question.sampling.draws()) {
          uniforms[at] = passUniforms[i];
        }
      }
    }
    try (PtNDManager scope = kernel.newScope()) {
      StatisticsTable statistics =
          statistics(scope, question, sources, freeSources, uniforms, given);
      int from = 0;
      for (Row row : group) {
        answers[row.answer] = statistics.proposals(from, row.pass);
        from += row.pass.targetCount();
      }
    }
  }

  private StatisticsTable statistics(
      PtNDManager scope,
      Question question,
      long[] sources,
      long[] freeSources,
      double[] uniforms,
      long[] given) {
    Sampling sampling = question.sampling;
    PtNDArray[] result =
        kernel.callForTensors(
            scope,
            "answer",
            DreamKernel.tensor(scope, sources),
            DreamKernel.tensor(scope, freeSources),
            IValue.from(question.scale),
            IValue.from(spec.maskId()),
            IValue.from(spec.tokenCount()),
            IValue.from(sampling.suppressSpecial()),
            IValue.from(sampling.temperature()),
            IValue.from(sampling.topP()),
            IValue.from(sampling.topK()),
            IValue.from((PtNDArray) scope.create(uniforms, new Shape(uniforms.length))),
            DreamKernel.tensor(scope, given),
            IValue.from(question.spread),
            IValue.from(SLICE),
            IValue.from(question.logits));

    return new StatisticsTable(result, sources.length, spec.vocabSize());
  }
}
