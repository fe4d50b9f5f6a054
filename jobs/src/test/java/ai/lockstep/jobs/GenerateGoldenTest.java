package ai.lockstep.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.jobs.cli.JobMain;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kind of decoder through the whole job, from the command's words to completions.jsonl,
 * against the traces of the Python references. That the decoders follow all traces is shown in
 * {@code udf}; here a few of each show that the configuration reaches them.
 */
@ExtendWith(LocalSpark.class)
class GenerateGoldenTest {

  private static final Path GOLDEN = Path.of("../udf/src/test/resources/golden");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The texts that the golden tokenizer encodes as the traces' markers. */
  private static final Map<String, String> MARKERS =
      Map.of("[59,81,60]", ";Q<", "[59,64,60]", ";@<");

  @TempDir Path folder;

  private record Trace(JsonNode golden, List<String> overrides) {

    @Override
    public String toString() {
      return golden.get("name").asText();
    }
  }

  static Stream<Trace> traces() throws IOException {
    List<Trace> traces = new ArrayList<>();
    for (JsonNode golden :
        cases(
            "dream", "dream_entropy_n16_s8_top_p0.95_top_k20", "dream_left_padded_maskgit_plus")) {
      traces.add(new Trace(golden, dream(golden.get("settings"))));
    }
    for (JsonNode golden : cases("llada", "llada_g8_b8_s4_cfg1.0", "llada_left_padded")) {
      traces.add(new Trace(golden, llada(golden.get("settings"))));
    }
    for (JsonNode golden :
        cases(
            "fast_dllm",
            "fast_global_n16_s4_t0.9",
            "fast_block_prefix_n16_b8_t0.9",
            "fast_sched_dual_n16_b8_s8",
            "fast_llada_factor0.6_g12_b6")) {
      traces.add(new Trace(golden, fastDllm(golden.get("settings"))));
    }
    for (JsonNode golden : cases("d2f", "d2f_n16_b4_a0.25_c0.75_t0.8_neg_entropy")) {
      traces.add(new Trace(golden, d2f(golden.get("settings"))));
    }
    for (JsonNode golden :
        cases(
            "lockstep",
            "lockstep_margin_jacobi",
            "lockstep_batch_gauss_seidel",
            "lockstep_eos0_gauss_seidel")) {
      traces.add(new Trace(golden, lockstep(golden)));
    }

    return traces.stream();
  }

  private static List<JsonNode> cases(String file, String... names) throws IOException {
    JsonNode cases = JSON.readTree(GOLDEN.resolve(file + ".json").toFile()).get("cases");

    return StreamSupport.stream(cases.spliterator(), false)
        .filter(golden -> List.of(names).contains(golden.get("name").asText()))
        .toList();
  }

  private static List<String> dream(JsonNode settings) {
    return List.of(
        "decode=dream",
        override("model.generation.alg", settings.get("alg")),
        override("model.generation.max_new_tokens", settings.get("max_new_tokens")),
        override("model.generation.steps", settings.get("steps")),
        override("model.generation.eps", settings.get("eps")),
        override("model.generation.top_p", settings.get("top_p")),
        override("model.generation.top_k", settings.get("top_k")));
  }

  private static List<String> llada(JsonNode settings) {
    return List.of(
        "decode=llada",
        override("model.generation.max_new_tokens", settings.get("gen_length")),
        override("model.generation.steps", settings.get("steps")),
        override("decode.block_length", settings.get("block_length")),
        override("decode.cfg_scale", settings.get("cfg_scale")),
        override("decode.remasking", settings.get("remasking")),
        override("decode.logit_shift", settings.get("logit_shift")));
  }

  private static List<String> fastDllm(JsonNode settings) {
    List<String> words = new ArrayList<>();
    words.add("decode=fast_dllm");
    words.add(override("decode.cache", settings.get("cache")));
    String method = settings.get("method").asText();
    words.add("decode.scope=" + (method.startsWith("global") ? "global" : "block"));
    words.add("decode.rule=" + method.substring(method.indexOf('_') + 1));
    JsonNode length = settings.get(settings.has("gen_length") ? "gen_length" : "max_new_tokens");
    words.add(override("model.generation.max_new_tokens", length));
    for (String key : List.of("block_length", "threshold", "factor", "logit_shift")) {
      if (settings.has(key)) {
        words.add(override("decode." + key, settings.get(key)));
      }
    }
    if (settings.has("steps")) {
      words.add(override("model.generation.steps", settings.get("steps")));
    }

    return words;
  }

  private static List<String> d2f(JsonNode settings) {
    return List.of(
        "decode=d2f",
        override("model.generation.max_new_tokens", settings.get("max_new_tokens")),
        override("decode.block_length", settings.get("block_size")),
        override("decode.block_add_threshold", settings.get("block_add_threshold")),
        override("decode.decoded_token_threshold", settings.get("decoded_token_threshold")),
        override("decode.skip_threshold", settings.get("skip_threshold")),
        override("decode.sampling_strategy", settings.get("sampling_strategy")),
        "model.generation.eos_token_ids=[%s]".formatted(settings.get("eos_token_id")));
  }

  private static List<String> lockstep(JsonNode golden) {
    JsonNode settings = golden.get("settings");

    return List.of(
        "decode=lockstep",
        override("decode.mode", settings.get("mode")),
        override("decode.tau_r", settings.get("tau_r")),
        override("decode.tau_a", settings.get("tau_a")),
        override("decode.max_fill_frac", settings.get("max_fill_frac")),
        "decode.block_markers.r_open='%s'"
            .formatted(MARKERS.get(golden.get("r_marker").toString())),
        "decode.block_markers.a_open='%s'"
            .formatted(MARKERS.get(golden.get("a_marker").toString())),
        "decode.r_length=" + length(golden.get("r_span")),
        "decode.a_length=" + length(golden.get("a_span")),
        override("model.generation.alg", settings.get("alg")),
        override("model.generation.steps", settings.get("steps")),
        override("model.generation.top_p", settings.get("top_p")),
        "model.generation.eos_token_ids=[%s]".formatted(settings.get("eos_token_id")));
  }

  private static int length(JsonNode span) {
    return span.get(1).asInt() - span.get(0).asInt();
  }

  private static String override(String key, JsonNode value) {
    return key + "=" + value.asText();
  }

  @ParameterizedTest
  @MethodSource("traces")
  void writesTheReferencesTokensAndTrace(Trace trace, SparkSession spark) throws IOException {
    JsonNode golden = trace.golden;
    List<String> words =
        new ArrayList<>(
            List.of(
                "input=" + prompts(golden),
                "output.dir=" + folder.resolve("out"),
                "model.path=" + GOLDEN.resolve("model"),
                "decode.trace=true"));
    words.addAll(trace.overrides);

    int exitCode =
        JobMain.exitCode(GenerateJob.DESCRIPTION, words.toArray(String[]::new), GenerateJob::run);

    assertThat(exitCode).isZero();
    List<String> lines = Files.readAllLines(folder.resolve("out/completions.jsonl"));
    for (int row = 0; row < lines.size(); row++) {
      assertFollows(golden, row, JSON.readTree(lines.get(row)));
    }
  }

  private Path prompts(JsonNode golden) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int row = 0; row < golden.get("prompt_ids").size(); row++) {
      ObjectNode line = JSON.createObjectNode().put("id", "row " + row);
      ArrayNode ids = line.putArray("prompt_ids");
      JsonNode padded = golden.get("prompt_ids").get(row);
      for (int i = padding(golden, row); i < padded.size(); i++) {
        ids.add(padded.get(i));
      }
      lines.add(line.toString());
    }

    return Files.write(folder.resolve("prompts.jsonl"), lines);
  }

  /** The reference pads prompts on the left; ours need none. */
  private static int padding(JsonNode golden, int row) {
    if (golden.get("attention_mask").isNull()) {
      return 0;
    }

    return (int)
        StreamSupport.stream(golden.get("attention_mask").get(row).spliterator(), false)
            .filter(real -> real.asInt() == 0)
            .count();
  }

  private static void assertFollows(JsonNode golden, int row, JsonNode line) {
    int prompt = golden.get("prompt_ids").get(row).size();
    JsonNode whole = golden.get("final").get(row);
    List<Integer> generated = new ArrayList<>();
    for (int i = prompt; i < whole.size(); i++) {
      generated.add(whole.get(i).asInt());
    }
    assertThat(line.get("token_ids")).map(JsonNode::asInt).isEqualTo(generated);

    List<JsonNode> commits = new ArrayList<>();
    for (JsonNode step : golden.get("steps")) {
      StreamSupport.stream(step.get("commits").spliterator(), false)
          .filter(commit -> commit.get("row").asInt() == row)
          .sorted(Comparator.comparingInt(commit -> commit.get("pos").asInt()))
          .forEach(commits::add);
    }
    assertThat(line.get("trace")).hasSameSizeAs(commits);
    for (int i = 0; i < commits.size(); i++) {
      JsonNode commit = line.get("trace").get(i);
      JsonNode reference = commits.get(i);
      assertThat(commit.get("position").asInt())
          .isEqualTo(reference.get("pos").asInt() - padding(golden, row));
      assertThat(commit.get("token")).isEqualTo(reference.get("token"));
      assertClose(commit.get("score"), reference.get("score"));
      assertClose(commit.get("p"), reference.get("p"));
    }
    if (golden.has("rows")) {
      assertThat(line.get("nfe")).isEqualTo(golden.get("rows").get(row).get("nfe"));
    } else {
      assertThat(line.get("nfe")).isEqualTo(golden.get("nfe"));
    }
  }

  private static void assertClose(JsonNode value, JsonNode reference) {
    assertThat(value.isNull()).isEqualTo(reference.isNull());
    if (!reference.isNull()) {
      assertThat(value.asDouble()).isCloseTo(reference.asDouble(), within(2e-4));
    }
  }
}
