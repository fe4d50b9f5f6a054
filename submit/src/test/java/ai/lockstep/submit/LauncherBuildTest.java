package ai.lockstep.submit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * When the launcher builds, and what running jobs see of it: the real script in a checkout of its
 * own, with scripts in place of Maven and spark-submit.
 */
class LauncherBuildTest {

  /** Builds as Maven does, which writes the jar in place; takes as long as "hold" is there. */
  private static final String MAVEN =
      """
      #!/bin/sh
      echo build >>builds
      while [ -e hold ]; do sleep 0.02; done
      mkdir -p jobs/target submit/target/spark-home/jars submit/target/native
      echo "jar of build $(wc -l <builds)" >jobs/target/lockstep-jobs-0-all.jar
      """;

  /** A job that reads its jar when it starts and once more when it is told to. */
  private static final String SPARK_SUBMIT =
      """
      #!/bin/sh
      for word; do case $word in *.jar) jar=$word;; esac; done
      echo "$jar"
      cat "$jar"
      read -r go
      cat "$jar"
      """;

  @TempDir Path root;
  private Path source;
  private final List<Process> started = new ArrayList<>();

  @BeforeEach
  void checkOut() throws IOException {
    script("bin/mvn", MAVEN);
    script("spark/bin/spark-submit", SPARK_SUBMIT);
    script("submit/lockstep", Files.readString(Path.of("lockstep")));
    source = Files.writeString(folder("conf").resolve("config.yaml"), "a: 1");
    changed(source, Duration.ofHours(3));
  }

  @AfterEach
  void endAll() throws InterruptedException {
    for (Process process : started) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
  }

  private Path folder(String name) throws IOException {
    return Files.createDirectories(root.resolve(name));
  }

  private void script(String name, String text) throws IOException {
    Path file = root.resolve(name);
    folder(root.relativize(file.getParent()).toString());
    assertThat(Files.writeString(file, text).toFile().setExecutable(true)).isTrue();
  }

  private static void changed(Path file, Duration ago) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(ago)));
  }

  private Process launch(String name) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(root.resolve("submit/lockstep").toString(), "sql")
            .redirectError(errors(name).toFile());
    builder.environment().put("SPARK_HOME", root.resolve("spark").toString());
    builder.environment().put("PATH", root.resolve("bin") + ":" + System.getenv("PATH"));
    Process process = builder.start();
    started.add(process);
    return process;
  }

  private Path errors(String name) {
    return root.resolve(name + ".err");
  }

  private boolean said(String name, String words) {
    try {
      return Files.readString(errors(name)).contains(words);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void letGoOn(Process job) throws IOException {
    job.outputWriter().write("\n");
    job.outputWriter().flush();
  }

  private List<String> copies() throws IOException {
    try (Stream<Path> files = Files.list(root.resolve("submit/target/jars"))) {
      return files.map(Path::toString).toList();
    }
  }

  @Test
  void aBuildDoesNotTouchTheJarOfAJobThatRuns() throws IOException, InterruptedException {
    Process first = launch("first");
    BufferedReader firstSays = first.inputReader();
    String firstJar = firstSays.readLine();
    assertThat(firstSays.readLine()).isEqualTo("jar of build 1");
    assertThat(said("first", "building (first use)")).isTrue();
    changed(root.resolve("jobs/target/lockstep-jobs-0-all.jar"), Duration.ofHours(2));
    changed(source, Duration.ofHours(1));

    Process second = launch("second");
    BufferedReader secondSays = second.inputReader();
    String secondJar = secondSays.readLine();
    assertThat(secondSays.readLine()).isEqualTo("jar of build 2");
    assertThat(said("second", "building (sources have changed)")).isTrue();

    letGoOn(first);
    assertThat(firstSays.readLine()).isEqualTo("jar of build 1");
    assertThat(first.waitFor()).isZero();
    assertThat(copies()).containsExactlyInAnyOrder(firstJar, secondJar);

    Process third = launch("third");
    assertThat(third.inputReader().readLine()).isEqualTo(secondJar);
    assertThat(errors("third")).isEmptyFile();
    assertThat(copies()).as("copies that a job uses").containsExactly(secondJar);
  }

  @Test
  void ofTwoCommandsAtOnceOneBuildsAndTheOtherWaits() throws IOException {
    Path hold = Files.createFile(root.resolve("hold"));
    Process first = launch("first");
    Eventually.holds("a build has begun", () -> Files.exists(root.resolve("builds")));
    Process second = launch("second");
    Eventually.holds(
        "the other waits", () -> said("second", "waiting for another build of this checkout"));

    Files.delete(hold);

    String jar = first.inputReader().readLine();
    assertThat(jar).endsWith(".jar");
    assertThat(second.inputReader().readLine()).isEqualTo(jar);
    assertThat(root.resolve("builds")).hasContent("build");
  }
}
