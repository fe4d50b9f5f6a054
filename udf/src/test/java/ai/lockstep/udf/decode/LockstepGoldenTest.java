package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import ai.lockstep.udf.model.Sampling;
import ai.lockstep.udf.model.torch.DreamModel;
import ai.lockstep.udf.model.torch.TorchDevice;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every lockstep trace of the Python reference, token for token, through the real model. */
class LockstepGoldenTest {

  private static final float SCORE_TOLERANCE = 2e-4f;
  private static final JsonNode GOLDEN = Golden.json("lockstep.json");

  private static MaskedDiffusionModel model;

  @BeforeAll
  static void load() {
    model =
        DreamModel.load(
            CheckpointLocator.fromEnvironment()
                .locate(new CheckpointSource.Folder(Golden.file("model"))),
            GOLDEN.get("num_tokens").asInt(),
            TorchDevice.cpu());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  static Stream<String> cases() {
    return StreamSupport.stream(GOLDEN.get("cases").spliterator(), false)
        .map(golden -> golden.get("name").asText());
  }

  private static JsonNode golden(String name) {
    for (JsonNode golden : GOLDEN.get("cases")) {
      if (golden.get("name").asText().equals(name)) {
        return golden;
      }
    }
    throw new IllegalArgumentException(name);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void followsTheReferenceTokenForToken(String name) {
    JsonNode golden = golden(name);
    for (int row = 0; row < golden.get("prompt_ids").size(); row++) {
      Completion completion = decode(golden, row);
      assertCommits(golden, row, completion);
      assertMetrics(golden, row, completion);
    }
  }

  private static Completion decode(JsonNode golden, int row) {
    JsonNode settings = golden.get("settings");
    int[] rSpan = Golden.ints(golden.get("r_span"));
    int[] aSpan = Golden.ints(golden.get("a_span"));
    LockstepSettings lockstep =
        new LockstepSettings(
            LockstepMode.valueOf(settings.get("mode").asText().toUpperCase(Locale.ROOT)),
            settings.get("tau_r").asDouble(),
            settings.get("tau_a").asDouble(),
            settings.get("max_fill_frac").asDouble(),
            8,
            rSpan[1] - rSpan[0],
            aSpan[1] - aSpan[0],
            CacheMode.NONE,
            settings.get("steps").asInt(LockstepSettings.AS_LONG_AS_BLOCKS),
            Confidence.valueOf(settings.get("alg").asText().toUpperCase(Locale.ROOT)),
            new Sampling(
                settings.get("temperature").asDouble(),
                settings.get("top_p").asDouble(1),
                settings.get("top_k").asInt(Sampling.NO_TOP_K),
                settings.get("suppress_special").asBoolean()),
            List.of(settings.get("eos_token_id").asInt()));
    Markers markers =
        new Markers(Golden.ints(golden.get("r_marker")), Golden.ints(golden.get("a_marker")));
    LockstepDecoder decoder = new LockstepDecoder(lockstep, markers, hooks(settings));
    int[] prompt = Golden.ints(golden.get("prompt_ids").get(row));
    int padding = padding(golden, row);
    prompt = Arrays.copyOfRange(prompt, padding, prompt.length);
    RowDecoder decoding =
        decoder.start(new DecodeRequest("row", prompt, 0, "row", 0), model.spec());
    for (var pass = decoding.nextPass(); pass.isPresent(); pass = decoding.nextPass()) {
      Proposals answer = model.propose(List.of(new RowPass(pass.get(), RowPass.NO_SLOT))).get(0);
      decoding.accept(answer, 0);
    }
    return decoding.completion();
  }

  private static int padding(JsonNode golden, int row) {
    JsonNode mask = golden.get("attention_mask");
    return mask.isNull()
        ? 0
        : (int) Arrays.stream(Golden.ints(mask.get(row))).filter(real -> real == 0).count();
  }

  private static Hooks hooks(JsonNode settings) {
    if (!settings.has("tokens_hook")) {
      return Hooks.NONE;
    }
    int[] last = Golden.ints(settings.get("tokens_hook").get("set_last"));
    JsonNode replaced = settings.get("logits_hook").get("set");
    LogitsHook logits =
        (step, x, z) -> {
          for (int i = 0; i < z.size(); i++) {
            for (JsonNode change : replaced) {
              z.row(i)[change.get(0).asInt()] = (float) change.get(1).asDouble();
            }
          }
          return z;
        };
    TokensHook tokens =
        new TokensHook() {
          @Override
          public int[] start(int[] x) {
            System.arraycopy(last, 0, x, x.length - last.length, last.length);
            return x;
          }

          @Override
          public int[] apply(int step, int[] x, PositionLogits z) {
            return start(x);
          }
        };
    return new Hooks(Optional.of(logits), Optional.of(tokens));
  }

  private static void assertCommits(JsonNode golden, int row, Completion completion) {
    int padding = padding(golden, row);
    List<JsonNode> expected = new ArrayList<>();
    List<Integer> sweeps = new ArrayList<>();
    for (JsonNode step : golden.get("steps")) {
      for (JsonNode commit : step.get("commits")) {
        if (commit.get("row").asInt() == row && !commit.get("p").isNull()
            || commit.get("row").asInt() == row && commit.get("kind").asText().equals("eos_fill")) {
          expected.add(commit);
          sweeps.add(step.get("sweep").asInt());
        }
      }
    }
    List<Commit> commits =
        completion.commits().stream().filter(c -> c.kind() != CommitKind.HOOK).toList();
    assertThat(commits).hasSameSizeAs(expected);
    for (int i = 0; i < commits.size(); i++) {
      Commit commit = commits.get(i);
      JsonNode reference = expected.get(i);
      assertThat(commit.position())
          .as("position of commit %d", i)
          .isEqualTo(reference.get("pos").asInt() - padding);
      assertThat(commit.token()).isEqualTo(reference.get("token").asInt());
      assertThat(commit.block()).isEqualTo(reference.get("block").asText());
      assertThat(commit.kind().spelling()).isEqualTo(reference.get("kind").asText());
      assertThat(commit.sweep()).isEqualTo(sweeps.get(i));
      if (commit.kind() != CommitKind.EOS_FILL) {
        assertThat(commit.p())
            .isCloseTo((float) reference.get("p").asDouble(), within(SCORE_TOLERANCE));
        assertThat(commit.score())
            .isCloseTo((float) reference.get("score").asDouble(), within(SCORE_TOLERANCE));
      }
    }
    int[] sequence = Golden.ints(golden.get("final").get(row));
    int[] generated =
        Arrays.copyOfRange(sequence, padding + completion.promptIds().length, sequence.length);
    assertThat(completion.tokenIds()).containsExactly(generated);
  }

  private static void assertMetrics(JsonNode golden, int row, Completion completion) {
    JsonNode expected = golden.get("rows").get(row);
    RowMetrics metrics =
        RowMetrics.of(completion, List.of(golden.get("settings").get("eos_token_id").asInt()));
    assertThat(metrics.nfe()).isEqualTo(expected.get("nfe").asInt());
    assertThat(metrics.nfeR()).isEqualTo(expected.get("nfe_R").asInt());
    assertThat(metrics.nfeA()).isEqualTo(expected.get("nfe_A").asInt());
    assertThat(metrics.committedR()).isEqualTo(expected.get("committed_R").asInt());
    assertThat(metrics.committedA()).isEqualTo(expected.get("committed_A").asInt());
    assertThat(metrics.fillRate().orElseThrow())
        .isCloseTo(expected.get("fill_rate").asDouble(), within(1e-6));
    assertThat(metrics.tokensPerNfe().orElseThrow())
        .isCloseTo(expected.get("tokens_per_nfe").asDouble(), within(1e-6));
  }
}
