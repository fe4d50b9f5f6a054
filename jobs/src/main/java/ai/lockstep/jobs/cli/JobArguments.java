package ai.lockstep.jobs.cli;

import ai.lockstep.failure.LockstepException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** What a job was called with: Hydra's flags, and overrides that are left to the composer. */
@Command(sortOptions = false, usageHelpAutoWidth = true)
public final class JobArguments {

  @Parameters(
      arity = "0..*",
      paramLabel = "override",
      description =
          "group=choice, key=value, +key=value (add), ++key=value (set or add), ~key (remove)")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = {"-m", "--multirun"},
      description = "Sweep: run every combination of comma-separated values and ranges.")
  private boolean multirun;

  @Option(
      names = "--cfg",
      paramLabel = "job",
      description = "Print the composed configuration (--cfg job) and exit.")
  private @Nullable String cfg;

  @Option(names = "--resolve", description = "With --cfg: print interpolations' values.")
  private boolean resolve;

  @Option(
      names = {"-cd", "--config-dir"},
      paramLabel = "DIR",
      description = "Folder that holds config.yaml and the groups.")
  private @Nullable Path configDir;

  @Option(
      names = {"-cn", "--config-name"},
      paramLabel = "NAME",
      defaultValue = "config",
      description = "Primary configuration file without .yaml (default: ${DEFAULT-VALUE}).")
  private String configName = "config";

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Print this help and exit.")
  private boolean help;

  /** How the configuration is to be printed instead of running the job. */
  public enum Print {
    /** Run the job. */
    NOTHING,
    /** Print the composed configuration with its interpolations. */
    COMPOSED,
    /** Print it with the interpolations' values. */
    RESOLVED
  }

  /**
   * Reads a command line.
   *
   * @return empty when help was asked for and printed to standard output
   * @throws LockstepException on an unknown flag
   */
  static Optional<JobArguments> parse(JobDescription job, String... args) {
    JobArguments arguments = new JobArguments();
    CommandLine line =
        new CommandLine(arguments)
            .setExpandAtFiles(false)
            .setUnmatchedOptionsArePositionalParams(false);
    CommandSpec spec = line.getCommandSpec().name("submit/lockstep " + job.name());
    spec.usageMessage().description(job.purpose()).footer(job.help().toArray(String[]::new));
    try {
      line.parseArgs(args);
    } catch (ParameterException e) {
      throw LockstepException.user(
          "Cannot run %s: %s. Try submit/lockstep %s --help."
              .formatted(job.name(), e.getMessage(), job.name()));
    }
    if (arguments.help) {
      line.usage(System.out);
      return Optional.empty();
    }
    if (arguments.cfg != null && !arguments.cfg.equals("job")) {
      throw LockstepException.user(
          "Cannot print --cfg %s: only 'job' is there. Try --cfg job.".formatted(arguments.cfg));
    }
    return Optional.of(arguments);
  }

  /** Overrides in the order of the command line. */
  public List<String> overrides() {
    return List.copyOf(overrides);
  }

  /** Whether {@code -m} was given. */
  public boolean isMultirun() {
    return multirun;
  }

  /** What to print instead of running. */
  public Print print() {
    if (cfg == null) {
      return Print.NOTHING;
    }
    return resolve ? Print.RESOLVED : Print.COMPOSED;
  }

  /** {@code --config-dir}, when given. */
  public Optional<Path> configDir() {
    return Optional.ofNullable(configDir);
  }

  /** {@code --config-name}, without the ending. */
  public String configName() {
    return configName;
  }
}
