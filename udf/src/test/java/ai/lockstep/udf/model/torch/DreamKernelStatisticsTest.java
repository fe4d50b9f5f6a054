package ai.lockstep.udf.model.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.LogitsStatistics;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.Sampling;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The kernel's statistics against the goldens and against their definition in plain Java. */
class DreamKernelStatisticsTest {

  private static final float SCORE_TOLERANCE = 2e-4f;

  private static DreamKernel kernel;

  @BeforeAll
  static void open() {
    kernel = new DreamKernel(TorchDevice.cpu());
  }

  @AfterAll
  static void close() {
    kernel.close();
  }

  @Nested
  class AgainstDreamsSampler {

    private final JsonNode golden = Golden.json("sampling.json");

    @Test
    void givesTheSameGreedyTokenAndScores() {
      for (JsonNode example : golden.get("cases")) {
        if (!example.has("entropy")) {
          continue;
        }
        float[][] logits = logits(example);

        Proposals answer = answer(logits, sampling(example), new double[0], new int[0], 0);

        for (int row = 0; row < logits.length; row++) {
          assertThat(answer.token(row))
              .isEqualTo(example.get("maskgit_plus").get("token").get(row).asInt());
          assertThat(answer.p(row)).isCloseTo(score(example, "maskgit_plus", row), within(1e-5f));
          assertThat(answer.margin(row))
              .isCloseTo(score(example, "topk_margin", row), within(1e-5f));
          assertThat(answer.negativeEntropy(row))
              .isCloseTo(score(example, "entropy", row), within(1e-5f));
        }
      }
    }

    @Test
    void drawsFromTheSameFilteredDistribution() {
      for (JsonNode example : golden.get("cases")) {
        Sampling sampling = sampling(example);
        if (!sampling.draws()) {
          continue;
        }
        float[][] logits = logits(example);
        for (int i = 0; i < logits.length; i++) {
          float[] expected = Golden.floats(example.get("probs").get(i));
          double[] uniforms = IntStream.range(0, 200).mapToDouble(k -> (k + 0.5) / 200).toArray();
          float[][] copies = new float[uniforms.length][];
          Arrays.fill(copies, logits[i]);

          Proposals answer = answer(copies, sampling, uniforms, new int[0], 0);

          for (int k = 0; k < uniforms.length; k++) {
            int token = answer.token(k);
            double below = sum(expected, token);
            assertThat(uniforms[k])
                .isBetween(below - SCORE_TOLERANCE, below + expected[token] + SCORE_TOLERANCE);
            assertThat(answer.p(k)).isCloseTo(expected[token], within(1e-5f));
          }
        }
      }
    }

    @Test
    void drawsTheSameTokensFromTheSameUniforms() {
      for (JsonNode example : golden.get("inverse_cdf")) {
        float[] p = Golden.floats(example.get("probs"));
        float[] logits = new float[p.length];
        for (int i = 0; i < p.length; i++) {
          logits[i] = (float) Math.log(p[i]);
        }
        double[] uniforms = Golden.doubles(example.get("uniforms"));
        float[][] copies = new float[uniforms.length][];
        Arrays.fill(copies, logits);

        Proposals answer = answer(copies, new Sampling(1, 1, 0, false), uniforms, new int[0], 0);

        int[] tokens = IntStream.range(0, uniforms.length).map(answer::token).toArray();
        assertThat(tokens).containsExactly(Golden.ints(example.get("tokens")));
      }
    }

    private float[][] logits(JsonNode example) {
      float[][] logits = new float[example.get("logits").size()][];
      for (int row = 0; row < logits.length; row++) {
        logits[row] = Golden.floats(example.get("logits").get(row));
      }

      return logits;
    }

    private Sampling sampling(JsonNode example) {
      return new Sampling(
          example.get("temperature").asDouble(),
          example.get("top_p").asDouble(1),
          example.get("top_k").asInt(Sampling.NO_TOP_K),
          false);
    }

    private float score(JsonNode example, String algorithm, int row) {
      return (float) example.get(algorithm).get("score").get(row).asDouble();
    }

    private double sum(float[] p, int count) {
      double sum = 0;
      for (int i = 0; i < count; i++) {
        sum += p[i];
      }

      return sum;
    }
  }

  @Nested
  class AgainstTheDefinition {

    /** 1024 is drawn from in two parts; 1000 in one; both have more ids than are ranked first. */
    private final int[] vocabularies = {1000, 1024};

    @Test
    void forEverySampling() {
      Random random = new Random(1);
      for (int vocabulary : vocabularies) {
        for (double temperature : new double[] {0, 0.2, 1, 1.7}) {
          for (double topP : new double[] {1, 0.95, 0.3}) {
            for (int topK : new int[] {0, 1, 40}) {
              for (boolean suppress : new boolean[] {false, true}) {
                float[][] logits = randomLogits(random, 8, vocabulary, 4);
                assertThatKernelAgrees(
                    logits, new Sampling(temperature, topP, topK, suppress), random);
              }
            }
          }
        }
      }
    }

    @Test
    void whenSoManyTokensShareTheMassThatAllMustBeRanked() {
      Random random = new Random(2);
      float[][] flat = randomLogits(random, 6, 1024, 0.1);

      assertThatKernelAgrees(flat, new Sampling(0.9, 0.95, 0, true), random);
    }

    @Test
    void whenEqualLogitsStraddleTheNucleus() {
      Random random = new Random(3);
      float[][] tied = randomLogits(random, 8, 1000, 6);
      for (float[] row : tied) {
        for (int i = 0; i < row.length; i++) {
          row[i] = Math.round(row[i]);
        }
      }

      assertThatKernelAgrees(tied, new Sampling(1, 0.8, 0, false), random);
    }

    private void assertThatKernelAgrees(float[][] logits, Sampling sampling, Random random) {
      int count = logits.length;
      int vocabulary = logits[0].length;
      double[] uniforms = random.doubles(sampling.draws() ? count : 0).toArray();
      int[] given = random.ints(count, 0, vocabulary).toArray();
      Pass pass = pass(count, sampling, uniforms, given);
      Proposals expected = LogitsStatistics.of(spec(vocabulary, 5)).propose(pass, logits);

      Proposals actual = answer(logits, sampling, uniforms, given, 5);

      for (int i = 0; i < count; i++) {
        String what = "%s, %d ids, row %d".formatted(sampling, vocabulary, i);
        assertThat(actual.token(i)).describedAs(what).isEqualTo(expected.token(i));
        assertThat(actual.p(i)).describedAs(what).isCloseTo(expected.p(i), within(1e-5f));
        assertThat(actual.margin(i)).describedAs(what).isCloseTo(expected.margin(i), within(1e-5f));
        assertThat(actual.negativeEntropy(i))
            .describedAs(what)
            .isCloseTo(expected.negativeEntropy(i), within(2e-5f));
        assertThat(actual.logProbability(i))
            .describedAs(what)
            .isCloseTo(expected.logProbability(i), within(1e-4f));
        assertThat(actual.givenLogProbability(i))
            .describedAs(what)
            .isCloseTo(expected.givenLogProbability(i), within(1e-4f));
      }
    }

    private float[][] randomLogits(Random random, int rows, int vocabulary, double spread) {
      float[][] logits = new float[rows][vocabulary];
      for (float[] row : logits) {
        for (int i = 0; i < vocabulary; i++) {
          row[i] = (float) (spread * random.nextGaussian());
        }
      }

      return logits;
    }
  }

  @Test
  void breaksTiesTowardsTheLowerId() {
    float[][] logits = {{0, 3, 3, 0}};

    Proposals answer = answer(logits, Sampling.GREEDY, new double[0], new int[0], 0);

    assertThat(answer.token(0)).isEqualTo(1);
    assertThat(answer.margin(0)).isZero();
  }

  @Test
  void refusesLogitsThatAreNotNumbers() {
    float[][] logits = {{0, Float.NaN, 1}};

    assertThatThrownBy(() -> answer(logits, Sampling.GREEDY, new double[0], new int[0], 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot choose a token: the model's logits are not numbers");
  }

  /** The mask is the id before the ids without a token. */
  private static ModelSpec spec(int vocabulary, int withoutToken) {
    int tokens = vocabulary - withoutToken;

    return new ModelSpec(
        "flat", vocabulary, tokens, tokens - 1, 0, List.of(0), 64, Alignment.IN_PLACE);
  }

  private static Pass pass(int count, Sampling sampling, double[] uniforms, int[] given) {
    Pass pass =
        Pass.full(new int[count], IntStream.range(0, count).toArray(), Alignment.IN_PLACE)
            .withSampling(sampling, uniforms)
            .withSpread();

    return given.length > 0 ? pass.withGivenTokens(given) : pass;
  }

  private static Proposals answer(
      float[][] logits, Sampling sampling, double[] uniforms, int[] given, int withoutToken) {
    ModelSpec spec = spec(logits[0].length, withoutToken);
    float[] flat = new float[logits.length * spec.vocabSize()];
    for (int i = 0; i < logits.length; i++) {
      System.arraycopy(logits[i], 0, flat, i * spec.vocabSize(), spec.vocabSize());
    }
    long[] tokens = Arrays.stream(given).asLongStream().toArray();
    try (PtNDManager scope = kernel.newScope()) {
      PtNDArray[] table =
          kernel.callForTensors(
              scope,
              "statistics",
              IValue.from(
                  (PtNDArray) scope.create(flat, new Shape(logits.length, spec.vocabSize()))),
              IValue.from(spec.maskId()),
              IValue.from(spec.tokenCount()),
              IValue.from(sampling.suppressSpecial()),
              IValue.from(sampling.temperature()),
              IValue.from(sampling.topP()),
              IValue.from(sampling.topK()),
              IValue.from((PtNDArray) scope.create(uniforms, new Shape(uniforms.length))),
              IValue.from((PtNDArray) scope.create(tokens, new Shape(tokens.length))),
              IValue.from(true));

      return new StatisticsTable(table, logits.length, spec.vocabSize())
          .proposals(0, pass(logits.length, sampling, uniforms, given));
    }
  }
}
