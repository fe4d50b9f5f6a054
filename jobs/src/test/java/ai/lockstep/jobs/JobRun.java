package ai.lockstep.jobs;

import ai.lockstep.jobs.cli.Job;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntSupplier;

/**
 * A job run in this JVM by its command line.
 *
 * @param exitCode the process's, had it ended
 * @param output what went to standard output
 * @param errors what went to standard error, log lines left out
 */
record JobRun(int exitCode, String output, String errors) {

  static JobRun of(JobDescription description, Job job, List<String> words) {
    return of(() -> JobMain.exitCode(description, words.toArray(String[]::new), job));
  }

  static JobRun of(IntSupplier command) {
    PrintStream standardOutput = System.out;
    PrintStream standardError = System.err;
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    try {
      int exitCode = command.getAsInt();
      return new JobRun(
          exitCode,
          output.toString(StandardCharsets.UTF_8),
          errors.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(standardOutput);
      System.setErr(standardError);
    }
  }
}
