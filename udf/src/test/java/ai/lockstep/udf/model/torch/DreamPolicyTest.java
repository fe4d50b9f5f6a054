package ai.lockstep.udf.model.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.checkpoint.LoraFactors;
import ai.lockstep.udf.checkpoint.TrainingState;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The policy that learns, on the bundled model. */
class DreamPolicyTest {

  private static final CheckpointSource TINY = new CheckpointSource.Bundled("dream-tiny");
  private static final LoraFactors.Settings SETTINGS = new LoraFactors.Settings(4, 8);

  @TempDir Path folder;

  private Checkpoint checkpoint;
  private DreamPolicy policy;
  private List<Pass> passes;

  @BeforeEach
  void load() {
    checkpoint = CheckpointLocator.fromEnvironment().locate(TINY);
    policy = DreamPolicy.load(checkpoint, SETTINGS, 1e-2f, 1, TorchDevice.cpu());
    int mask = checkpoint.config().maskId();
    passes =
        List.of(
            Pass.full(new int[] {5, 9, mask, 12, mask, 30, 31}, new int[] {2, 4}, Alignment.SHIFTED)
                .withGivenTokens(new int[] {40, 41}),
            Pass.full(new int[] {7, mask, mask, 8}, new int[] {1, 2}, Alignment.SHIFTED)
                .withGivenTokens(new int[] {50, 51}));
  }

  @AfterEach
  void close() {
    policy.close();
  }

  /** What the kernel that decodes says. */
  private float[] byTheKernel(Checkpoint of) {
    try (DreamModel model = DreamModel.load(of, of.config().vocabSize(), TorchDevice.cpu())) {
      List<Proposals> answers =
          model.propose(passes.stream().map(pass -> new RowPass(pass, RowPass.NO_SLOT)).toList());
      return new float[] {
        answers.get(0).givenLogProbability(0),
        answers.get(0).givenLogProbability(1),
        answers.get(1).givenLogProbability(0),
        answers.get(1).givenLogProbability(1)
      };
    }
  }

  /** Steps in a direction that no random draw decides. */
  private void learn(int steps) {
    for (int step = 0; step < steps; step++) {
      policy.accumulate(passes, logp -> new float[] {-1, 0.5f, -1, 0.25f});
      policy.step(10);
    }
  }

  @Test
  void agreesWithTheKernelThatDecodes() {
    assertThat(policy.logProbabilities(passes))
        .containsExactly(byTheKernel(checkpoint), within(2e-4f));
  }

  @Test
  void learnsWhatIsAskedOfItAndKeepsItsReference() {
    float[] before = policy.logProbabilities(passes);

    learn(3);
    float[] after = policy.logProbabilities(passes);

    assertThat(after[0]).isGreaterThan(before[0] + 0.1f);
    assertThat(after[2]).isGreaterThan(before[2] + 0.1f);
    assertThat(policy.referenceLogProbabilities(passes)).containsExactly(before, within(1e-5f));
  }

  @Test
  void gradientsAreThoseOfFiniteDifferences() {
    learn(1); // B starts at 0, where A has no derivative
    float[] weights = {-1, 0.5f, 2, 0.25f};
    policy.accumulate(passes, logp -> weights);

    for (String factor :
        List.of(
            "model.layers.0.self_attn.q_proj.lora_A",
            "model.layers.0.self_attn.k_proj.lora_B",
            "model.layers.0.self_attn.v_proj.lora_B",
            "model.layers.1.self_attn.o_proj.lora_A",
            "model.layers.0.mlp.gate_proj.lora_B",
            "model.layers.1.mlp.up_proj.lora_A",
            "model.layers.0.mlp.down_proj.lora_B")) {
      float[] gradient = policy.gradient(factor);
      int steepest = 0;
      for (int i = 0; i < gradient.length; i++) {
        steepest = Math.abs(gradient[i]) > Math.abs(gradient[steepest]) ? i : steepest;
      }
      float h = 2e-3f;
      policy.nudge(factor, steepest, h);
      double above = weighted(weights, policy.logProbabilities(passes));
      policy.nudge(factor, steepest, -2 * h);
      double below = weighted(weights, policy.logProbabilities(passes));
      policy.nudge(factor, steepest, h);

      double slope = (above - below) / (2 * h);
      assertThat(slope).as(factor).isNotZero();
      assertThat((double) gradient[steepest])
          .as(factor)
          .isCloseTo(slope, within(0.01 + 0.02 * Math.abs(slope)));
    }
  }

  private static double weighted(float[] weights, float[] logp) {
    double sum = 0;
    for (int i = 0; i < logp.length; i++) {
      sum += weights[i] * logp[i];
    }
    return sum;
  }

  @Test
  void theAdapterThatIsWrittenDecodesAndIsTrainedOn() throws IOException {
    learn(3);
    LoraFactors factors = policy.factors();
    Files.write(folder.resolve("adapter_config.json"), factors.config("dream-tiny", "abc"));
    Files.write(folder.resolve("adapter_model.safetensors"), factors.tensors());
    Checkpoint adapted = CheckpointLocator.fromEnvironment().locate(TINY, folder);
    float[] learnt = policy.logProbabilities(passes);

    assertThat(byTheKernel(adapted)).containsExactly(learnt, within(5e-4f));
    try (DreamPolicy next = DreamPolicy.load(adapted, SETTINGS, 1e-2f, 2, TorchDevice.cpu())) {
      assertThat(next.logProbabilities(passes)).containsExactly(learnt, within(1e-6f));
    }
  }

  @Test
  void aPolicyResumedFromItsStateStepsAsIfItHadNotStopped() throws IOException {
    learn(2);
    Path file = Files.write(folder.resolve("state.safetensors"), policy.state("of a test").bytes());
    learn(2);

    TrainingState state = TrainingState.read(file);
    assertThat(state.steps()).isEqualTo(2);
    assertThat(state.settings()).isEqualTo("of a test");
    try (DreamPolicy resumed =
        DreamPolicy.load(checkpoint, SETTINGS, 1e-2f, 7, TorchDevice.cpu())) {
      resumed.resume(state);
      for (int step = 0; step < 2; step++) {
        resumed.accumulate(passes, logp -> new float[] {-1, 0.5f, -1, 0.25f});
        resumed.step(10);
      }
      assertThat(resumed.factors().tensors()).isEqualTo(policy.factors().tensors());
    }
  }

  @Test
  void paddingOfShorterRowsChangesNothing() {
    float[] together = policy.logProbabilities(passes);

    assertThat(Arrays.copyOfRange(together, 2, 4))
        .containsExactly(policy.logProbabilities(passes.subList(1, 2)), within(1e-5f));
  }
}
