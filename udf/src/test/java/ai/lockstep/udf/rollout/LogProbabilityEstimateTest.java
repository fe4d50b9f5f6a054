package ai.lockstep.udf.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import ai.lockstep.udf.model.torch.DreamModel;
import ai.lockstep.udf.model.torch.TorchDevice;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class LogProbabilityEstimateTest {

  private static final int M = 9;
  private static final ModelSpec SPEC =
      new ModelSpec("toy", 10, 10, M, 8, List.of(8), 64, Alignment.SHIFTED);

  /** A prompt of three tokens, a marker, and a completion around another marker. */
  private static final int[] TOKENS = {1, 2, 3, 7, 4, 5, 7, 6};

  private static final int[] COMPLETION = {4, 5, 7};

  @Nested
  class AgainstTheReference {

    private static final float TOLERANCE = 1e-3f;
    private static DreamModel model;

    @BeforeAll
    static void load() {
      model =
          DreamModel.load(
              CheckpointLocator.fromEnvironment()
                  .locate(new CheckpointSource.Folder(Golden.file("model"))),
              304,
              TorchDevice.cpu());
    }

    @AfterAll
    static void close() {
      model.close();
    }

    private final JsonNode cases = Golden.json("logprobs.json").get("cases");

    @Test
    void theEstimateOfOneStepIsTheSame() {
      for (JsonNode example : cases) {
        Sequence sequence = Sequence.of(example);

        assertThat(estimate(sequence.hiding(flags(example.get("prompt_mask")))))
            .containsExactly(Golden.floats(example.get("d1")), offset(TOLERANCE));
        assertThat(estimate(sequence.hiding(new boolean[0])))
            .containsExactly(Golden.floats(example.get("full")), offset(TOLERANCE));
      }
    }

    @Test
    void theCoupledEstimateAndItsPartsAreTheSame() {
      for (JsonNode example : cases) {
        LogProbabilityEstimate coupled = Sequence.of(example).coupled(example);

        List<Proposals> answers = answers(coupled);

        assertParts(answers.get(0), example.get("full"));
        assertParts(answers.get(1), example.get("masked"));
        assertParts(answers.get(2), example.get("complement"));
        assertThat(coupled.combine(answers))
            .containsExactly(Golden.floats(example.get("coupled")), offset(TOLERANCE));
      }
    }

    private record Sequence(int[] tokens, int[] completion) {

      static Sequence of(JsonNode example) {
        int[] prompt = Golden.ints(example.get("prompt_ids"));
        int[] completion = Golden.ints(example.get("completion_ids"));
        return new Sequence(
            IntStream.concat(IntStream.of(prompt), IntStream.of(completion)).toArray(),
            IntStream.range(prompt.length, prompt.length + completion.length).toArray());
      }

      LogProbabilityEstimate hiding(boolean[] prompt) {
        return LogProbabilityEstimate.ofHiddenPrompt(tokens, completion, prompt, model.spec());
      }

      LogProbabilityEstimate coupled(JsonNode example) {
        return LogProbabilityEstimate.coupled(
            tokens,
            completion,
            flags(example.get("completion_mask")),
            example.get("mask_ratio").asDouble(),
            model.spec());
      }
    }

    private static float[] estimate(LogProbabilityEstimate estimate) {
      return estimate.combine(answers(estimate));
    }

    private static List<Proposals> answers(LogProbabilityEstimate estimate) {
      return model.propose(
          estimate.passes().stream().map(pass -> new RowPass(pass, RowPass.NO_SLOT)).toList());
    }

    private static void assertParts(Proposals answer, JsonNode expected) {
      for (int k = 0; k < expected.size(); k++) {
        assertThat(answer.givenLogProbability(k))
            .isCloseTo((float) expected.get(k).asDouble(), offset(TOLERANCE));
      }
    }

    private static boolean[] flags(JsonNode list) {
      boolean[] flags = new boolean[list.size()];
      for (int i = 0; i < flags.length; i++) {
        flags[i] = list.get(i).asBoolean();
      }
      return flags;
    }
  }

  @Test
  void oneStepHidesTheCompletionAndPartsOfThePromptButNoMarker() {
    boolean[] hiddenPrompt = {false, true, false};

    LogProbabilityEstimate estimate =
        LogProbabilityEstimate.ofHiddenPrompt(TOKENS, COMPLETION, hiddenPrompt, SPEC);

    assertThat(estimate.passes()).hasSize(1);
    Pass pass = estimate.passes().get(0);
    assertThat(pass.tokens()).containsExactly(1, M, 3, 7, M, M, 7, M);
    assertThat(pass.targets()).containsExactly(COMPLETION);
    assertThat(pass.givenTokens()).containsExactly(4, 5, 6);
    assertThat(pass.alignment()).isEqualTo(Alignment.SHIFTED);
  }

  @Test
  void coupledHidesEverythingThenAPartThenTheRest() {
    LogProbabilityEstimate estimate =
        LogProbabilityEstimate.coupled(
            TOKENS, COMPLETION, new boolean[] {true, false, true}, 0.25, SPEC);

    assertThat(estimate.passes().stream().map(Pass::tokens))
        .containsExactly(
            new int[] {1, 2, 3, 7, M, M, 7, M},
            new int[] {1, 2, 3, 7, M, 5, 7, M},
            new int[] {1, 2, 3, 7, 4, M, 7, 6});
    assertThat(estimate.passes())
        .allSatisfy(pass -> assertThat(pass.givenTokens()).containsExactly(4, 5, 6));
  }

  @Test
  void coupledWeighsEveryTokenByTheChanceThatItWasHidden() {
    LogProbabilityEstimate estimate =
        LogProbabilityEstimate.coupled(
            TOKENS, COMPLETION, new boolean[] {true, false, true}, 0.25, SPEC);

    float[] combined =
        estimate.combine(
            List.of(
                given(-1, -2, -3),
                given(-4, Float.NEGATIVE_INFINITY, -6),
                given(Float.NEGATIVE_INFINITY, -9, Float.NEGATIVE_INFINITY)));

    // (-1 - 4 / 0.25) / 2, (-2 - 9 / 0.75) / 2, (-3 - 6 / 0.25) / 2
    assertThat(combined).containsExactly(-8.5f, -7f, -13.5f);
  }

  private static Proposals given(float... logProbabilities) {
    int count = logProbabilities.length;
    return new Proposals(
        new int[count],
        new float[count],
        new float[count],
        new float[count],
        new float[count],
        logProbabilities,
        new float[0][]);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(
            () ->
                LogProbabilityEstimate.ofHiddenPrompt(
                    TOKENS, new int[] {4, 4}, new boolean[0], SPEC))
        .hasMessage("Completion position 4 does not lie in 5..7");
    assertThatThrownBy(
            () -> LogProbabilityEstimate.ofHiddenPrompt(TOKENS, COMPLETION, new boolean[5], SPEC))
        .hasMessage("A prompt of 5 tokens does not end before the completion's first position 4");
    assertThatThrownBy(
            () -> LogProbabilityEstimate.coupled(TOKENS, COMPLETION, new boolean[2], 0.5, SPEC))
        .hasMessage("2 hidden flags for 3 completion tokens");
    assertThatThrownBy(
            () -> LogProbabilityEstimate.coupled(TOKENS, COMPLETION, new boolean[3], 1, SPEC))
        .hasMessage("The masking ratio must lie in (0, 1), not 1.0");
    assertThatThrownBy(
            () ->
                LogProbabilityEstimate.coupled(TOKENS, COMPLETION, new boolean[3], 0.5, SPEC)
                    .combine(List.of()))
        .hasMessage("0 answers for 3 passes");
  }
}
