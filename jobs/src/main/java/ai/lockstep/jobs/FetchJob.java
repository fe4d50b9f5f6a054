package ai.lockstep.jobs;

import ai.lockstep.datasets.DatasetCatalog;
import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.download.CacheFolder;
import ai.lockstep.datasets.download.Downloader;
import ai.lockstep.datasets.download.RetryPolicy;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.JobContext;
import ai.lockstep.jobs.cli.JobDescription;
import ai.lockstep.jobs.cli.JobMain;
import ai.lockstep.jobs.config.Composition;
import ai.lockstep.jobs.config.DatasetConfig;
import ai.lockstep.jobs.config.ModelConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.DecodeStage;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code fetch}: brings a benchmark or a checkpoint to this machine. */
public final class FetchJob {

  private static final Logger LOG = LoggerFactory.getLogger(FetchJob.class);

  /** Bytes between two lines of progress. */
  private static final long REPORT_BYTES = 256L << 20;

  private static final JobDescription DESCRIPTION =
      new JobDescription(
          "fetch",
          "Downloads a benchmark or a checkpoint; a download that was cut goes on where it stopped.",
          List.of(
              "",
              "Keys that matter most",
              "  dataset=humanevalplus|mbppplus, dataset.mini=true",
              "  model=dream model.download=true",
              "  fetch.endpoint=URL     a mirror with the paths of GitHub; HF_ENDPOINT for checkpoints",
              "",
              "Benchmarks go to LOCKSTEP_CACHE, else XDG_CACHE_HOME/lockstep, else ~/.cache/lockstep,",
              "checkpoints to the Hugging Face cache."));

  private FetchJob() {}

  public static void main(String[] args) {
    JobMain.run(DESCRIPTION, args, FetchJob::run);
  }

  static void run(JobContext context) {
    for (Composition composition : context.compositions()) {
      fetch(RunConfig.of(composition));
    }
  }

  private static void fetch(RunConfig config) {
    boolean benchmark = config.dataset().suite() != Suite.STARTER;
    boolean checkpoint = config.model().download() == ModelConfig.Download.ALLOWED;
    if (!benchmark && !checkpoint) {
      throw LockstepException.user(
          "Cannot fetch dataset=starter and a model without model.download=true: both are here already. Try dataset=humanevalplus, dataset=mbppplus or model=dream model.download=true.");
    }
    if (benchmark) {
      System.out.println(fetchBenchmark(config));
    }
    if (checkpoint) {
      System.out.println(DecodeStage.check(config).path());
    }
  }

  private static Path fetchBenchmark(RunConfig config) {
    DatasetConfig dataset = config.dataset();
    DatasetCatalog catalog = new DatasetCatalog(config.fetch().endpoint(), CacheFolder.current());
    AtomicLong reported = new AtomicLong();
    return catalog.fetch(
        dataset.suite(),
        dataset.edition(),
        new Downloader(RetryPolicy.DEFAULT),
        (done, total) -> {
          boolean last = total.isPresent() && done == total.getAsLong();
          if (last || done - reported.get() >= REPORT_BYTES) {
            reported.set(done);
            LOG.info(
                "fetching {}: done={} of={} bytes",
                dataset.suite().datasetName(),
                done,
                total.isPresent() ? total.getAsLong() : "unknown");
          }
        });
  }
}
