package ai.lockstep.harness;

import ai.lockstep.datasets.download.CacheFolder;
import ai.lockstep.failure.LockstepException;
import java.nio.file.Path;

/**
 * How programs are judged: the {@code harness.*} keys as one value. Start from {@link #defaults()}
 * and change what differs.
 *
 * @param sandbox {@code auto} (the best level that this machine allows) or the name of an {@link
 *     Isolation} level, which is then required
 * @param python absolute path of the interpreter that runs the programs and the reference solutions
 * @param cacheFolder where expected outputs are kept between runs, one folder per dataset and
 *     interpreter
 * @param depth whether a run ends at its first failed test
 * @param scope whether the added tests are run too
 * @param limits time and memory of one run
 * @param parallel programs judged at the same time, at least 1
 */
public record HarnessSettings(
    String sandbox,
    Path python,
    Path cacheFolder,
    Depth depth,
    Scope scope,
    Limits limits,
    int parallel) {

  /** How much of a failing run is executed: {@code harness.fail_fast}. */
  public enum Depth {
    /** {@code harness.fail_fast=true}: stop at the first failed test. */
    FAIL_FAST,
    /**
     * {@code harness.fail_fast=false}: run every test and keep a result for each. Whether a program
     * passes is the same; a program that fails slowly may become a timeout.
     */
    EVERY_TEST
  }

  /** Which tests are run: {@code harness.base_only}. */
  public enum Scope {
    /** The base tests, then the added ones. */
    BASE_AND_PLUS,
    /** The base tests only; verdicts have no plus part. */
    BASE_ONLY
  }

  /** Setting name of the choice that takes the best available level. */
  public static final String AUTO = "auto";

  public HarnessSettings {
    if (!sandbox.equals(AUTO) && Isolation.named(sandbox).isEmpty()) {
      throw LockstepException.user(
          "Cannot use harness.sandbox=%s: it must be auto or one of %s."
              .formatted(sandbox, Isolation.settingNames()));
    }

    if (!python.isAbsolute()) {
      throw LockstepException.user(
          "Cannot use harness.python=%s: it must be an absolute path, such as /usr/bin/python3."
              .formatted(python));
    }

    if (parallel < 1) {
      throw LockstepException.user(
          "Cannot use harness.parallel=%d: at least one program must run at a time."
              .formatted(parallel));
    }
  }

  /**
   * EvalPlus's limits, fail-fast, base and plus, {@code auto} sandbox, {@code /usr/bin/python3},
   * half of the cores, and {@link CacheFolder#current()}.
   */
  public static HarnessSettings defaults() {
    return new HarnessSettings(
        AUTO,
        Path.of("/usr/bin/python3"),
        CacheFolder.current(),
        Depth.FAIL_FAST,
        Scope.BASE_AND_PLUS,
        Limits.EVALPLUS,
        Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
  }

  /** With another {@code harness.sandbox}. */
  public HarnessSettings withSandbox(String newSandbox) {
    return new HarnessSettings(newSandbox, python, cacheFolder, depth, scope, limits, parallel);
  }

  /** With another {@code harness.python}. */
  public HarnessSettings withPython(Path newPython) {
    return new HarnessSettings(sandbox, newPython, cacheFolder, depth, scope, limits, parallel);
  }

  /** With another folder for expected outputs. */
  public HarnessSettings withCacheFolder(Path newCacheFolder) {
    return new HarnessSettings(sandbox, python, newCacheFolder, depth, scope, limits, parallel);
  }

  /** With another {@code harness.fail_fast}. */
  public HarnessSettings withDepth(Depth newDepth) {
    return new HarnessSettings(sandbox, python, cacheFolder, newDepth, scope, limits, parallel);
  }

  /** With another {@code harness.base_only}. */
  public HarnessSettings withScope(Scope newScope) {
    return new HarnessSettings(sandbox, python, cacheFolder, depth, newScope, limits, parallel);
  }

  /** With other limits of a run. */
  public HarnessSettings withLimits(Limits newLimits) {
    return new HarnessSettings(sandbox, python, cacheFolder, depth, scope, newLimits, parallel);
  }

  /** With another {@code harness.parallel}. */
  public HarnessSettings withParallel(int newParallel) {
    return new HarnessSettings(sandbox, python, cacheFolder, depth, scope, limits, newParallel);
  }
}
