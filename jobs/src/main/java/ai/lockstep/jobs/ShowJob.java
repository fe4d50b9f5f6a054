package ai.lockstep.jobs;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.report.ShowStage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** {@code show}: plays in the terminal how a sample was filled. */
public final class ShowJob {

  private static final Set<String> OWN_KEYS = Set.of("run", "task", "sample", "config");

  private static final JobDescription DESCRIPTION =
      new JobDescription(
          "show",
          "Plays in the terminal how a sample was filled, pass by pass.",
          List.of(
              "",
              "Words of its own",
              "  run=DIR                output.dir of the run; or the first word",
              "  task=ID                such as HumanEval/3; or the second word",
              "  sample=0               sample of the task",
              "  config=decode.tau_a=0.9  of a sweep: a configuration's id, or a part of its label",
              "",
              "Without a terminal, or with TERM=dumb: the tokens over the numbers of the passes that",
              "committed them, and one line a pass. NO_COLOR=1 plays without colours.",
              "",
              "Example",
              "  submit/lockstep show out Starter/3"));

  private ShowJob() {}

  public static void main(String[] args) {
    System.exit(exitCode(args));
  }

  /** Runs the job: its own words are taken out, the others compose the configuration. */
  static int exitCode(String... args) {
    Map<String, String> own = new HashMap<>();
    List<String> overrides = new ArrayList<>();
    for (String word : args) {
      int equals = word.indexOf('=');
      if (equals > 0 && OWN_KEYS.contains(word.substring(0, equals))) {
        own.put(word.substring(0, equals), word.substring(equals + 1));
      } else if (equals < 0 && !word.startsWith("-")) {
        own.put(own.containsKey("run") ? "task" : "run", word);
      } else {
        overrides.add(word);
      }
    }
    return JobMain.exitCode(
        DESCRIPTION, overrides.toArray(String[]::new), context -> run(context, own));
  }

  private static void run(JobContext context, Map<String, String> own) {
    if (!own.containsKey("run") || !own.containsKey("task")) {
      throw LockstepException.user(
          "Cannot show without a run and a task: name both. Try submit/lockstep show out Starter/3.");
    }
    String sample = own.getOrDefault("sample", "0");
    if (!sample.matches("[0-9]{1,9}")) {
      throw LockstepException.user(
          "Cannot show sample=%s: a whole number from 0 is needed.".formatted(sample));
    }
    Composition composition = context.compositions().get(0);
    ShowStage.show(
        context.spark(RunConfig.of(composition).hardware().sparkProperties()),
        own.get("run"),
        own.get("task"),
        Integer.parseInt(sample),
        Optional.ofNullable(own.get("config")),
        composition.resolved());
  }
}
