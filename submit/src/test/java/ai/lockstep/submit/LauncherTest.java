package ai.lockstep.submit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real script, the packaged jar and a real spark-submit: what a user types. Starting Spark
 * takes longest here, so that each start proves several things; scripts around the launcher are
 * tested with one that says what they need.
 */
class LauncherTest {

  /** Far above what a busy machine needs for a handful of tasks. */
  private static final long TIMEOUT_MINUTES = 10;

  private static final Path LAUNCHER = Path.of("lockstep").toAbsolutePath();

  @TempDir Path folder;

  private record Result(int exitCode, String output, String errors) {}

  @BeforeAll
  static void theJobsArePackaged() {
    assertThat(Path.of("../jobs/target")).isDirectoryContaining("glob:**/lockstep-jobs-*-all.jar");
    assertThat(Path.of("target/spark-home/jars")).isDirectory();
  }

  private Result run(Map<String, String> environment, String... words)
      throws IOException, InterruptedException {
    return script(LAUNCHER, environment, words);
  }

  private Result script(Path script, Map<String, String> environment, String... words)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(words));
    Path output = folder.resolve("stdout");
    Path errors = folder.resolve("stderr");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(output.toFile())
            .redirectError(errors.toFile());
    builder.environment().remove("SPARK_HOME");
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      assertThat(process.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES)).as("ended").isTrue();
    } finally {
      process.destroyForcibly();
    }
    return new Result(
        process.exitValue(),
        Files.readString(output, StandardCharsets.UTF_8),
        Files.readString(errors, StandardCharsets.UTF_8));
  }

  private Result run(String... words) throws IOException, InterruptedException {
    return run(Map.of(), words);
  }

  /** Executors of their own processes begin, and the driver alone finds all of it done. */
  @Test
  void evaluatesOnALocalClusterGoesOnWithoutAndAnswersQuestions()
      throws IOException, InterruptedException {
    List<String> evaluate =
        List.of(
            "evaluate", "tasks=0-2", "decode.r_length=8", "decode.a_length=24", "output.dir=out");
    List<String> onACluster = new ArrayList<>(evaluate);
    onACluster.addAll(
        List.of("--master", "local-cluster[2,1,1024]", "--conf", "spark.executor.memory=600m"));

    Result first = run(onACluster.toArray(String[]::new));

    assertThat(first.exitCode()).as(first.errors).isZero();
    assertThat(first.errors).contains("rows=3 done=0 missing=3", "scoring finished: 3 programs");
    assertThat(first.output)
        .contains("pass@1 plus", "tables: out/{runs,completions,steps,scores,metrics}");
    JsonNode results =
        new ObjectMapper().readTree(folder.resolve("out/eval_results.json").toFile());
    assertThat(results.get("eval").fieldNames())
        .toIterable()
        .containsExactly("Starter/0", "Starter/1", "Starter/2");

    Result second = run(evaluate.toArray(String[]::new));

    assertThat(second.exitCode()).as(second.errors).isZero();
    assertThat(second.errors).contains("rows=3 done=3 missing=0");
    assertThat(table(second)).isEqualTo(table(first));

    Result question = run("sql", "SELECT count(*) AS samples FROM scores", "output.dir=out");

    assertThat(question.exitCode()).as(question.errors).isZero();
    assertThat(question.output).isEqualTo("samples\n3\n");
  }

  private static List<String> table(Result result) {
    return result.output.lines().filter(line -> !line.startsWith("done in")).toList();
  }

  /** What a distribution's bin/spark-submit and bin/spark-class come to, over the same jars. */
  private static final String SPARK_SUBMIT =
      """
      #!/usr/bin/env bash
      export SPARK_HOME=$(cd "$(dirname "$0")/.." && pwd) SPARK_SCALA_VERSION=2.13
      command=()
      while IFS= read -r -d '' word; do command+=("$word"); done < <(
        java -Xmx128m -cp "$SPARK_HOME/jars/*" org.apache.spark.launcher.Main \\
          org.apache.spark.deploy.SparkSubmit "$@"
        printf '%d\\0' $?
      )
      [ "${command[-1]}" = 0 ] || exit "${command[-1]}"
      command=("${command[@]:1:${#command[@]}-2}")
      command[0]=${command[0]#$'\\n'}
      touch "$SPARK_HOME/was-used"
      exec "${command[@]}"
      """;

  private Path sparkHomeOfTheUser() throws IOException {
    Path home = Files.createDirectories(folder.resolve("spark/bin")).getParent();
    Files.createSymbolicLink(
        home.resolve("jars"), Path.of("target/spark-home/jars").toAbsolutePath());
    Path submit = Files.writeString(home.resolve("bin/spark-submit"), SPARK_SUBMIT);
    assertThat(submit.toFile().setExecutable(true)).isTrue();
    return home;
  }

  @Test
  void theApplicationJarRunsOnASparkOfTheUser() throws IOException, InterruptedException {
    Path root = Path.of("..").toRealPath();
    String line =
        Files.readAllLines(root.resolve("README.md")).stream()
            .filter(text -> text.startsWith("$SPARK_HOME/bin/spark-submit "))
            .findFirst()
            .orElseThrow();
    Path home = sparkHomeOfTheUser();
    Path out = folder.resolve("out");
    String command =
        line.replace(
            "output.dir=out",
            "tasks=0-1 decode.r_length=4 decode.a_length=8 viz.enabled=false output.dir=" + out);
    Path errors = folder.resolve("stderr");
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-c", command)
            .directory(root.toFile())
            .redirectOutput(folder.resolve("stdout").toFile())
            .redirectError(errors.toFile());
    builder.environment().put("SPARK_HOME", home.toString());

    Process process = builder.start();

    assertThat(process.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(errors)).isZero();
    assertThat(out.resolve("eval_results.json")).exists();

    Files.delete(home.resolve("was-used"));
    scoresSamples(Map.of("SPARK_HOME", home.toString()));
    assertThat(home.resolve("was-used")).exists();
  }

  private void scoresSamples(Map<String, String> environment)
      throws IOException, InterruptedException {
    Files.writeString(
        folder.resolve("samples.jsonl"),
        """
        {"task_id": "Starter/0", "solution": "def sum_even_squares(nums):\\n    return sum(x * x for x in nums if x % 2 == 0)\\n"}
        {"task_id": "Starter/1", "solution": "def double_odds(nums):\\n    return nums\\n"}
        """);

    Result result = run(environment, "score", "samples=samples.jsonl", "output.dir=scored");

    assertThat(result.exitCode()).as(result.errors).isZero();
    assertThat(result.output)
        .contains("118 of 120 tasks have no sample and are not counted: Starter/2,");
    JsonNode results =
        new ObjectMapper().readTree(folder.resolve("scored/eval_results.json").toFile());
    assertThat(results.get("pass_at_k").get("plus").get("pass@1").asDouble()).isEqualTo(0.5);
  }

  @Test
  void theSmokeTestPassesInBothModes() throws IOException, InterruptedException {
    Result result = script(LAUNCHER.resolveSibling("smoke_decode.sh"), Map.of());

    assertThat(result.exitCode()).as(result.errors).isZero();
    assertThat(result.output).contains("gauss_seidel: ok\n", "jacobi: ok\n");
  }

  /** A script of the checkout, beside a launcher that does as it is told. */
  private Path beside(String script, String launcher) throws IOException {
    Path submit = Files.createDirectories(folder.resolve("submit"));
    Path told = Files.writeString(submit.resolve("lockstep"), "#!/bin/sh\n" + launcher);
    assertThat(told.toFile().setExecutable(true)).isTrue();
    return Files.copy(LAUNCHER.resolveSibling(script), submit.resolve(script));
  }

  @Test
  void theSmokeTestFailsWhenABlockIsEmpty() throws IOException, InterruptedException {
    String row =
        """
        {"id": "%s", "blocks": [{"name": "R", "start": 9, "length": 0}, {"name": "A", "start": 11, "length": 80}]}""";
    Path smoke =
        beside(
            "smoke_decode.sh",
            """
            for word; do case $word in output.dir=*) out=${word#output.dir=};; esac; done
            mkdir -p "$out/0"
            printf '%%s\\n' '%s' '%s' >"$out/0/completions.jsonl"
            """
                .formatted(row.formatted("add"), row.formatted("evens")));

    Result result = script(smoke, Map.of());

    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.errors)
        .isEqualTo(
            "smoke_decode: gauss_seidel: add: block lengths {'R': 0, 'A': 80}\nsmoke_decode: gauss_seidel: wrong output\n");
  }

  @Test
  void theSmokeTestEndsAsTheJobWhenThatFails() throws IOException, InterruptedException {
    Result result = script(beside("smoke_decode.sh", "echo 'no GPU' >&2; exit 3\n"), Map.of());

    assertThat(result.exitCode()).isEqualTo(3);
    assertThat(result.errors).isEqualTo("no GPU\nsmoke_decode: decoding failed with exit code 3\n");
  }

  @Test
  void theNightlyScriptKeepsTheExitCodeAndALog() throws IOException, InterruptedException {
    Path nights = folder.resolve("nights");
    Path nightly = beside("nightly.sh", "echo \"$@\"; echo 'a regression' >&2; exit 5\n");

    Result result = script(nightly, Map.of("NIGHTLY_DIR", nights.toString()), "limit=16");

    String said = "nightly output.dir=%s limit=16\na regression\n".formatted(nights);
    assertThat(result.exitCode()).isEqualTo(5);
    assertThat(result.output).isEqualTo(said);
    try (Stream<Path> logs = Files.list(nights.resolve("logs"))) {
      assertThat(logs)
          .singleElement()
          .satisfies(log -> assertThat(Files.readString(log)).isEqualTo(said));
    }
  }

  @Test
  void aMistakeIsOneSentenceAndTheUsersExitCode() throws IOException, InterruptedException {
    Result result = run("evaluate", "decode.tau=0.5");

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.output).isEmpty();
    assertThat(result.errors)
        .isEqualTo(
            """
            lockstep: Could not override 'decode.tau': the key is not in 'decode'. Did you mean 'decode.tau_r'? To add a new key use +decode.tau=0.5.
                decode.tau=0.5
                       ^
            """);
  }

  @Test
  void anUnknownJobNamesTheJobs() throws IOException, InterruptedException {
    Result result = run("evalate");

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.errors)
        .isEqualTo(
            "lockstep: Cannot run 'evalate': the jobs are evaluate fetch generate nightly profile report rollout score show sql train. Try submit/lockstep --help.\n");
  }

  @Test
  void helpNamesEveryJob() throws IOException, InterruptedException {
    Result result = run("--help");

    assertThat(result.exitCode()).isZero();
    assertThat(result.output)
        .contains("\n  evaluate ", "\n  score ", "\n  generate ", "\n  sql ", "\n  fetch ")
        .contains("\n  nightly ", "\n  profile ", "\n  train ");
  }

  /** A machine whose tools are all there but one, and whose user is not root. */
  private Map<String, String> machineWithout(String tool) throws IOException {
    Path tools = Files.createDirectory(folder.resolve("bin"));
    for (String place : List.of("/usr/bin", "/bin")) {
      try (Stream<Path> all = Files.list(Path.of(place))) {
        for (Path program : (Iterable<Path>) all::iterator) {
          Path link = tools.resolve(program.getFileName().toString());
          if (!link.endsWith(tool) && !link.endsWith("id") && Files.notExists(link)) {
            Files.createSymbolicLink(link, program);
          }
        }
      }
    }
    Path id = Files.writeString(tools.resolve("id"), "#!/bin/sh\necho 1000\n");
    assertThat(id.toFile().setExecutable(true)).isTrue();
    return Map.of("PATH", tools.toString());
  }

  @Test
  void aMachineWithoutTheSandboxIsToldWhatToInstall() throws IOException, InterruptedException {
    Map<String, String> machine = machineWithout("bwrap");

    Result result = run(machine, "evaluate");

    assertThat(result.exitCode()).isEqualTo(3);
    assertThat(result.errors)
        .isEqualTo(
            "lockstep: Cannot run untrusted programs: bubblewrap missing. Run as root: apt-get install -y --no-install-recommends bubblewrap\n");
  }
}
