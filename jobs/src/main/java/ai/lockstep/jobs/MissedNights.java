package ai.lockstep.jobs;

import ai.lockstep.datasets.Task;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.config.NightlyConfig;
import ai.lockstep.jobs.decoding.DecodeInput;
import ai.lockstep.jobs.decoding.LocatedModel;
import ai.lockstep.jobs.nightly.Measurement;
import ai.lockstep.jobs.nightly.Night;
import ai.lockstep.jobs.nightly.Nights;
import ai.lockstep.jobs.run.CodeVersion;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.run.RunManifest;
import ai.lockstep.udf.spark.ExecutorModel;
import java.io.IOException;
import java.time.LocalDate;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures nights that were missed, {@code nightly.catch_up}. The code is the one that runs now, so
 * a missed night is measured only where the command means something else for its date: another
 * checkpoint, adapter or benchmark file by a path with {@code ${nightly.date}}. Of nights that
 * would measure the same, one is measured and stands in for the others. Driver only.
 */
final class MissedNights {

  private static final Logger LOG = LoggerFactory.getLogger(MissedNights.class);

  private MissedNights() {}

  /** Runs a night. */
  @FunctionalInterface
  interface Work {
    void run(JobContext context) throws IOException;
  }

  /**
   * Catches up, the oldest night first. One that cannot be measured is warned of, and stood in for
   * as if nothing had been asked.
   *
   * @param context tonight's
   * @param root the folder of all nights
   * @param work measures the night of a context
   */
  static void catchUp(
      JobContext context,
      Nights nights,
      NightlyConfig settings,
      String root,
      Configuration hadoop,
      Work work)
      throws IOException {
    List<LocalDate> missed = nights.unmeasured(settings.date(), settings.catchUp());
    if (missed.isEmpty()) {
      return;
    }
    Set<Measurement> known = new HashSet<>();
    for (Night night : nights.finished()) {
      String folder = root + "/" + night.results().date();
      known.add(Measurement.of(night.results(), RunFolder.manifest(folder, hadoop)));
    }
    known.add(planned(context));
    for (LocalDate date : missed) {
      try (JobContext late = context.with(List.of("nightly.date=" + date))) {
        if (known.add(planned(late))) {
          LOG.info("catching up: night={}", date);
          work.run(late);
          // The next one has another model, for which there may be no room beside this one.
          ExecutorModel.closeAll();
        } else {
          LOG.info("missed: night={}, which would measure what another night does", date);
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn("could not catch up on the night {}: {}", date, e.getMessage());
        LOG.debug("not caught up", e);
      }
    }
  }

  /** What a night's command would measure. */
  private static Measurement planned(JobContext context) {
    List<PlannedRun> runs = PlannedRun.of(context.compositions());
    DecodeInput.Tasks input = DecodeInput.benchmark(runs.get(0).config());
    LocatedModel model = LocatedModel.of(runs.get(0).config());
    return Measurement.of(
        RunManifest.of(context.job(), runs, input.dataset(), input.md5(), model.revision()),
        CodeVersion.commit().orElseGet(CodeVersion::version),
        input.chosen().stream().map(Task::taskId).collect(Collectors.toSet()),
        runs.get(0).config().model().generation().n());
  }
}
