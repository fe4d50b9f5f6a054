package ai.lockstep.jobs.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Benchmarks;
import ai.lockstep.datasets.PromptStyle;
import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.ModelConfig.TorchScriptConfig;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RunConfigTest {

  private static final Benchmark STARTER = Benchmarks.open(Suite.STARTER);

  private static final Composer COMPOSER =
      new Composer(
          ConfigSource.folder(Path.of("../conf")),
          Map.of(),
          LocalDateTime.of(2026, 11, 24, 1, 2, 3));

  private static RunConfig read(String... overrides) {
    return RunConfig.of(COMPOSER.compose("config", List.of(overrides)));
  }

  @Test
  void theDefaultsAreTheBundledModelOnTheStarterSuite() {
    RunConfig run = read();

    assertThat(run.id()).isEqualTo("20261124-010203");
    assertThat(run.output().dir()).isEqualTo("outputs/2026-11-24/01-02-03");
    assertThat(run.model().bundledName()).contains("dream-tiny");
    assertThat(run.model().prompt()).isEqualTo(PromptStyle.RAW);
    assertThat(run.dataset().suite()).isEqualTo(Suite.STARTER);
    assertThat(selected(run)).hasSize(STARTER.tasks().size());
    assertThat(run.harness().parallel()).isEmpty();
    assertThat(run.decode())
        .isEqualTo(
            new DecodeConfig.Lockstep(
                new DecodeConfig.Common(
                    "none", true, Optional.empty(), false, Optional.empty(), Optional.empty()),
                "gauss_seidel",
                0.90,
                0.92,
                0.4,
                8,
                32,
                80,
                "[R]",
                "[A]"));
  }

  static Stream<String> everyDecoder() {
    return Stream.of("lockstep", "jacobi", "dream", "llada", "fast_dllm", "d2f");
  }

  @ParameterizedTest
  @MethodSource("everyDecoder")
  void everyDecoderIsRead(String option) {
    assertThat(read("decode=" + option).decode().name())
        .isEqualTo(option.equals("jacobi") ? "lockstep" : option);
  }

  @Test
  void groupsThatNeedValuesAreReadOnceTheyHaveThem() {
    assertThat(read("model=dream").model().location()).isEqualTo("Dream-org/Dream-v0-Instruct-7B");
    assertThat(
            read("model=llada", "model.path=/m.pt", "model.torchscript.tokenizer=/t.json")
                .model()
                .torchScript())
        .hasValueSatisfying(
            model -> {
              assertThat(model.maskId()).isEqualTo(126336);
              assertThat(model.prediction()).isEqualTo(TorchScriptConfig.Prediction.IN_PLACE);
              assertThat(model.chat("Say {x}."))
                  .contains(
                      "<|startoftext|><|start_header_id|>user<|end_header_id|>\n\nSay {x}.<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
            });
    assertThat(read("hardware=h200_8x").hardware().sparkProperties())
        .containsEntry("spark.executor.instances", "8")
        .containsEntry("spark.executor.resource.gpu.amount", "1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "model.dtype=bfloat16|Cannot run an exported model with model.dtype: weights and number format are those in the file. Set model.dtype=auto.",
        "model.hf_name=a/b|Cannot run an exported model with model.hf_name: weights and number format are those in the file. Set model.hf_name=null.",
        "model.adapter=lora|Cannot run an exported model with model.adapter: weights and number format are those in the file. Set model.adapter=null.",
        "model.generation.eos_token_ids=null|Cannot run with model.generation.eos_token_ids=null: an exported model does not name its end tokens. Give their ids, such as model.generation.eos_token_ids=[151643].",
        "model.torchscript.user_turn=Hello|Cannot run with model.torchscript.user_turn=Hello: it must hold {prompt}, where the prompt's text goes.",
        "model.torchscript.token_count=0|Cannot run with model.torchscript.token_count=0: it must lie in 1..126464, the vocab_size.",
        "model.torchscript.mask_id=126349|Cannot run with model.torchscript.mask_id=126349: it must be an id below 126349, the token_count.",
      })
  void oneSentencePerMistakeWithAnExportedModel(String override, String message) {
    assertThatThrownBy(
            () ->
                read(
                    "model=llada",
                    "model.path=/m.pt",
                    "model.torchscript.tokenizer=/t.json",
                    override))
        .isInstanceOf(LockstepException.class)
        .hasMessage(message);
  }

  @Test
  void theReadmesOneLinersWork() {
    RunConfig run =
        read(
            "decode.mode=jacobi",
            "decode.tau_r=0.85",
            "model.generation.steps=20",
            "wandb.enabled=true",
            "limit=20",
            "tasks=0-19");

    assertThat(run.model().generation().steps()).isEqualTo(OptionalInt.of(20));
    assertThat(run.wandb().enabled()).isTrue();
    assertThat(selected(run)).hasSize(20).startsWith("Starter/0").endsWith("Starter/19");
  }

  @Test
  void sparkPropertiesAreSetAddedAndRemoved() {
    assertThat(
            read(
                    "hardware.spark.task.cpus=2",
                    "+hardware.spark.locality.wait=0s",
                    "~hardware.spark.sql.shuffle.partitions")
                .hardware()
                .sparkProperties())
        .containsOnly(Map.entry("spark.task.cpus", "2"), Map.entry("spark.locality.wait", "0s"));
  }

  @Test
  void tasksAreATextOrAListAndLimitCutsThem() {
    assertThat(selected(read("tasks=[0,2-3,Starter/9]", "limit=3")))
        .containsExactly("Starter/0", "Starter/2", "Starter/3");
    assertThat(selected(read("tasks='0,9'"))).containsExactly("Starter/0", "Starter/9");
    assertThat(selected(read("tasks=7"))).containsExactly("Starter/7");
  }

  private static List<String> selected(RunConfig run) {
    return run.dataset().selection().select(STARTER).stream().map(Task::taskId).toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "dataset.limit=-3|Cannot run with dataset.limit=-3: the limit must be 1 or more, or null for all tasks.",
        "limit=0|Cannot run with dataset.limit=0: the limit must be 1 or more, or null for all tasks.",
        "limit=ten|Cannot read dataset.limit=ten: a whole number is needed.",
        "decode.tau_r=high|Cannot read decode.tau_r=high: a number is needed.",
        "decode.trace=1|Cannot read decode.trace=1: true or false is needed.",
        "decode.halo=1.5|Cannot read decode.halo=1.5: a whole number is needed.",
        "decode.halo=null|Cannot read decode.halo: the key is null, and it needs a value.",
        "~decode.halo|Cannot read decode.halo: the key is missing, and it needs a value.",
        "decode.mode=fast|Cannot run with decode.mode=fast: it must be one of gauss_seidel, jacobi.",
        "decode.name=x|Cannot run with decode.name=x: it must be one of lockstep, dream, llada, fast_dllm, d2f.",
        "decode.cache=all|Cannot run with decode.cache=all: it must be one of none, prefix, dual.",
        "+decode.tau=0.5|Cannot run with decode.tau=0.5: no such key is read. Did you mean 'decode.tau_r'?",
        "+extra.key=1|Cannot run with extra={\"key\":1}: no such key is read.",
        "model.generation.temperature=-1|Cannot run with model.generation.temperature=-1.0: the temperature must be 0 or more.",
        "model.generation.temperature=nan|Cannot run with model.generation.temperature=NaN: the temperature must be 0 or more.",
        "model.generation.top_p=0|Cannot run with model.generation.top_p=0.0: it must lie in (0, 1], or be null for all tokens.",
        "model.generation.top_k=0|Cannot run with model.generation.top_k=0: it must be 1 or more, or null for all tokens.",
        "model.generation.steps=0|Cannot run with model.generation.steps=0: the number of steps must be 1 or more, or null for one token a step.",
        "model.generation.n=0|Cannot run with model.generation.n=0: the number of samples a task must be 1 or more.",
        "model.generation.eos_token_ids=5|Cannot read model.generation.eos_token_ids=5: a list of whole numbers is needed, such as [1,2].",
        "model.generation.seed=1e3|Cannot read model.generation.seed=1000.0: a whole number is needed.",
        "model.path=null|Cannot run without a model: model.path and model.hf_name are both null. Set one of them.",
        "model.hf_name=dream|Cannot run with model.hf_name=dream: it must look like organisation/model.",
        "model.dtype=float16|Cannot run with model.dtype=float16: it must be one of auto, float32, bfloat16.",
        "model=torchscript|Cannot run without model.path: it has no default. Add model.path=VALUE.",
        "dataset.name=gsm8k|Cannot run with dataset.name=gsm8k: it must be one of humanevalplus, mbppplus, starter.",
        "harness.min_time_limit=0|Cannot run with harness.min_time_limit=0.0: it must be above 0.",
        "harness.parallel=0|Cannot run with harness.parallel=0: it must be 1 or more, or null for all cores.",
        "hardware.batch_rows=0|Cannot run with hardware.batch_rows=0: it must be 1 or more.",
        "rl.samples=1|Cannot run with rl.samples=1: a group needs 2 samples or more.",
        "rl.advantage_clip=0|Cannot run with rl.advantage_clip=0.0: it must be above 0, or null for no limit.",
        "rl.advantage=gae|Cannot run with rl.advantage=gae: it must be one of grpo, dr_grpo, rloo.",
        "+rl.rewards.style=1|Cannot reward by rl.rewards.style: there is no such part. The parts are plus, base, tests, format, length, tamper.",
        "rl.rewards.tamper=1|Cannot run with rl.rewards.tamper=1.0: it is a penalty, so its weight must be 0 or less.",
        "rl.rewards.plus=inf|Cannot run with rl.rewards.plus=Infinity: a weight must be finite.",
        "rl.rewards={plus:0,format:0,tamper:0}|Cannot run with rl.rewards: every weight is 0, so all rewards would be equal. Try rl.rewards.plus=1.",
        "wandb.tags=a|Cannot read wandb.tags=a: a list of texts is needed, such as [a,b].",
        "output.dir=|Cannot run with output.dir=: name a folder.",
        "run.id=a/b|Cannot run with run.id=a/b: letters, digits, points, - and _ are allowed.",
        "dataset=null|Cannot read dataset: the key is missing, and it needs a value.",
      })
  void oneSentencePerMistake(String override, String message) {
    assertThatThrownBy(() -> read(override))
        .isInstanceOf(LockstepException.class)
        .hasMessage(message);
  }
}
