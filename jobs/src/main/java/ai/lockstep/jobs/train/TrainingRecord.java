package ai.lockstep.jobs.train;

import static java.util.stream.Collectors.joining;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.config.TrainConfig;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.udf.checkpoint.TrainingState;
import ai.lockstep.udf.model.torch.DreamPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a training leaves in its folder while it runs: the course, and every {@code
 * train.save_steps} steps the state from which it goes on after a kill, to the same end. The course
 * is written first, so that it never lacks a step of the state.
 */
final class TrainingRecord {

  private static final Logger LOG = LoggerFactory.getLogger(TrainingRecord.class);

  private final RunFolder folder;
  private final TrainConfig train;
  private final String settings;
  private final Optional<TrainingState> state;
  private final List<StepRecord> course;
  private final long samples;

  private TrainingRecord(
      RunFolder folder,
      TrainConfig train,
      String settings,
      Optional<TrainingState> state,
      List<StepRecord> course) {
    this.folder = folder;
    this.train = train;
    this.settings = settings;
    this.state = state;
    this.course = course;
    this.samples = course.stream().mapToLong(StepRecord::samples).sum();
  }

  /**
   * Opens a folder that may hold an unfinished training.
   *
   * @throws LockstepException when it was another training, or its course is gone
   */
  static TrainingRecord open(RunFolder folder, RunConfig config, Rollouts rollouts)
      throws IOException {
    Path place = Path.of(config.output().dir());
    TrainConfig train = config.train();
    String settings = "%s rollouts=%s".formatted(train.course(), rollouts.fingerprint());
    if (!Files.exists(place.resolve(OfflineGrpo.STATE))) {
      return new TrainingRecord(folder, train, settings, Optional.empty(), new ArrayList<>());
    }
    TrainingState state = TrainingState.read(place.resolve(OfflineGrpo.STATE));
    if (!state.settings().equals(settings)) {
      throw LockstepException.user(
          "Cannot go on training in output.dir=%s: it was begun with %s, not %s. Repeat its settings, or choose another folder."
              .formatted(config.output().dir(), state.settings(), settings));
    }
    Path file = place.resolve(OfflineGrpo.COURSE);
    List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
    if (lines.size() < state.steps()) {
      throw LockstepException.user(
          "Cannot go on training in output.dir=%s: %s has %d steps of %d. Remove %s to train from the start."
              .formatted(
                  config.output().dir(),
                  OfflineGrpo.COURSE,
                  lines.size(),
                  state.steps(),
                  OfflineGrpo.STATE));
    }
    List<StepRecord> course = new ArrayList<>();
    for (String line : lines.subList(0, state.steps())) {
      course.add(StepRecord.of(line));
    }
    LOG.info("training goes on after step {}", state.steps());
    return new TrainingRecord(folder, train, settings, Optional.of(state), course);
  }

  /** Where the policy is to go on. */
  Optional<TrainingState> state() {
    return state;
  }

  /** Steps so far. */
  int steps() {
    return course.size();
  }

  /** The steps so far. */
  List<StepRecord> course() {
    return List.copyOf(course);
  }

  /** Samples of the steps before this process. */
  long samples() {
    return samples;
  }

  /** Notes a step, and saves when it is time. */
  void add(StepRecord step, DreamPolicy policy) {
    course.add(step);
    if (step.step() % train.saveSteps() == 0) {
      try {
        writeCourse();
        folder.write(OfflineGrpo.STATE, policy.state(settings).bytes());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Writes the whole course. */
  void finish() throws IOException {
    writeCourse();
  }

  private void writeCourse() throws IOException {
    String lines = course.stream().map(StepRecord::json).collect(joining());
    folder.write(OfflineGrpo.COURSE, lines.getBytes(StandardCharsets.UTF_8));
  }
}
