package ai.lockstep.jobs.cli;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.Composer;
import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.config.ConfigSource;
import ai.lockstep.jobs.config.Sweep;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.fs.FSError;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The frame of every job: read the arguments, compose the configuration, run, and turn a failure
 * into one sentence and an exit code.
 */
public final class JobMain {

  private static final Logger LOG = LoggerFactory.getLogger(JobMain.class);

  /** What the system says when a file can take no more bytes. */
  private static final List<String> DISK_FULL =
      List.of("No space left on device", "Disk quota exceeded", "File too large");

  /** What Spark says of a task that was running when its executor ended. */
  private static final String EXECUTOR_LOST = "ExecutorLostFailure";

  private JobMain() {}

  /** Runs a job and ends the process with its exit code. */
  public static void run(JobDescription description, String[] args, Job job) {
    System.exit(exitCode(description, args, job));
  }

  /** Runs a job; 0 when it is done, else the failure's exit code. */
  public static int exitCode(JobDescription description, String[] args, Job job) {
    try {
      Optional<JobArguments> arguments = JobArguments.parse(description, args);
      if (arguments.isPresent()) {
        execute(description, arguments.get(), job);
      }
      return 0;
    } catch (LockstepException e) {
      System.err.println("lockstep: " + e.getMessage());
      LOG.debug("failed", e);
      return e.category().exitCode();
    } catch (Exception | FSError | LinkageError | StackOverflowError | OutOfMemoryError e) {
      Optional<LockstepException> told = operatorsFailure(e);
      if (told.isPresent()) {
        System.err.println("lockstep: " + told.get().getMessage());
        LOG.debug("failed", e);
        return told.get().category().exitCode();
      }
      LOG.error("{} failed", description.name(), e);
      System.err.println(
          "lockstep: Cannot finish %s: %s. This is a bug of lockstep; the stack trace is above."
              .formatted(description.name(), e));
      return FailureCategory.INTERNAL.exitCode();
    }
  }

  /** Spark wraps what an executor threw; the operator wants the sentence inside. */
  private static Optional<LockstepException> operatorsFailure(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof LockstepException found) {
        return Optional.of(found);
      }
      String message = cause.getMessage() == null ? "" : cause.getMessage();
      if (message.contains(EXECUTOR_LOST)) {
        return Optional.of(
            LockstepException.environment(
                "Cannot finish: executors died over the same Spark task again and again; the last one: %s. Read the executors' logs; smaller hardware.batch_rows or more memory may help. What is written stays: repeat the command to go on."
                    .formatted(lastLoss(message)),
                failure));
      }
      for (String full : DISK_FULL) {
        if (message.contains(full)) {
          return Optional.of(
              LockstepException.environment(
                  "Cannot write: %s. Free some space where output.dir and Spark's temporary files lie, and repeat the command; what is written stays."
                      .formatted(full.toLowerCase(Locale.ROOT)),
                  failure));
        }
      }
    }
    return Optional.empty();
  }

  /** Such as {@code Command exited with code 137}. */
  private static String lastLoss(String message) {
    String line = message.substring(message.indexOf(EXECUTOR_LOST)).lines().findFirst().orElse("");
    return line.replaceFirst(".*Reason: ", "").strip();
  }

  private static void execute(JobDescription description, JobArguments arguments, Job job)
      throws Exception {
    ConfigSource source = ConfigSource.of(arguments.configDir(), System.getenv());
    if (arguments.print() != JobArguments.Print.NOTHING) {
      print(arguments.print(), compose(source, description, arguments, List.of()));
      return;
    }
    try (JobContext context =
        new JobContext(
            description.name(),
            arguments.overrides(),
            isSweep(description, arguments),
            more -> compose(source, description, arguments, more))) {
      job.run(context);
    }
  }

  private static List<Composition> compose(
      ConfigSource source, JobDescription description, JobArguments arguments, List<String> more) {
    Composer composer = new Composer(source);
    List<Composition> compositions = new ArrayList<>();
    for (List<String> overrides : jobs(composer, description, arguments, more)) {
      compositions.add(composer.compose(arguments.configName(), overrides));
    }
    return compositions;
  }

  private static List<List<String>> jobs(
      Composer composer, JobDescription description, JobArguments arguments, List<String> more) {
    List<String> words = words(description, arguments);
    words.addAll(more);
    return isSweep(description, arguments)
        ? Sweep.expand(composer, arguments.configName(), words)
        : List.of(words);
  }

  private static boolean isSweep(JobDescription description, JobArguments arguments) {
    return arguments.isMultirun() || Sweep.isRequested(words(description, arguments));
  }

  private static List<String> words(JobDescription description, JobArguments arguments) {
    List<String> words = new ArrayList<>(description.overrides());
    words.addAll(arguments.overrides());
    return words;
  }

  private static void print(JobArguments.Print print, List<Composition> compositions) {
    for (int i = 0; i < compositions.size(); i++) {
      if (compositions.size() > 1) {
        System.out.printf("# job %d: %s%n", i, String.join(" ", compositions.get(i).overrides()));
      }
      System.out.print(
          print == JobArguments.Print.RESOLVED
              ? compositions.get(i).resolvedYaml()
              : compositions.get(i).yaml());
    }
  }
}
