package ai.lockstep.harness;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Small tasks written out by hand. */
final class Tasks {

  private Tasks() {}

  /** Settings for this machine; the test is skipped where Python or the sandbox is missing. */
  static HarnessSettings settings(Path cacheFolder) {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/python3")), "python3 is not installed");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/bwrap")), "bubblewrap is not installed");
    return HarnessSettings.defaults()
        .withCacheFolder(cacheFolder)
        .withSandbox("bubblewrap")
        .withParallel(1);
  }

  /** {@code f} of one argument; the reference says what is right. */
  static Task task(String reference, String baseInputs, String plusInputs) {
    return new Task(Suite.STARTER, "Starter/1", "", reference, "f", baseInputs, plusInputs, 0);
  }

  /** A task whose only right answer to its only test is a Python expression's value. */
  static Task expecting(String expression) {
    return task("def f(x):\n    return " + expression + "\n", "[[1]]", "[]");
  }

  /** What stands for the digest of a dataset that holds just this task. */
  static String md5(Task task) {
    try {
      byte[] bytes =
          (task + task.referenceProgram() + task.baseInputJson() + task.plusInputJson())
              .getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has MD5", e);
    }
  }

  static Verdict judge(Harness harness, Task task, String program) {
    return harness.judge(task, md5(task), program);
  }
}
