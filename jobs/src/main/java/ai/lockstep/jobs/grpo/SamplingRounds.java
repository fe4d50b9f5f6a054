package ai.lockstep.jobs.grpo;

import static org.apache.spark.sql.functions.col;

import ai.lockstep.jobs.config.RlConfig;
import ai.lockstep.jobs.decoding.SampleRange;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.ScoresTable;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes and judges samples in rounds of {@code rl.samples} a task and configuration. A task whose
 * rewards are all equal goes on to the next round, until {@code rl.dynamic_sampling.max_samples}.
 *
 * <p>Which tasks go on is read off the samples of the rounds before alone, so a killed command that
 * is started again asks for the same samples. All of a task's samples are kept: to keep a last
 * round only would prefer rare samples. After DAPO (arXiv 2503.14476, section 3.2), which leaves a
 * task out where here it is sampled again. Driver only.
 */
public final class SamplingRounds {

  private static final Logger LOG = LoggerFactory.getLogger(SamplingRounds.class);

  private final SparkSession spark;
  private final List<PlannedRun> runs;
  private final Function<SampleRange, Set<PlannedRun>> round;
  private final String outputDir;

  /**
   * @param runs one, or those of a sweep
   * @param round decodes and judges what is missing of some samples of all {@code runs}; says for
   *     which something was done
   */
  public SamplingRounds(
      SparkSession spark,
      List<PlannedRun> runs,
      Function<SampleRange, Set<PlannedRun>> round,
      String outputDir) {
    this.spark = spark;
    this.runs = List.copyOf(runs);
    this.round = round;
    this.outputDir = outputDir;
  }

  /**
   * Decodes and judges what is missing.
   *
   * @return the configurations for which something was done
   */
  public Set<PlannedRun> run() {
    RlConfig rl = runs.get(0).config().rl();
    Set<PlannedRun> worked = new HashSet<>();
    Optional<Set<String>> tasks = Optional.empty();
    for (int from = 0; from < rl.maxSamples(); from += rl.samples()) {
      SampleRange samples =
          new SampleRange(from, Math.min(from + rl.samples(), rl.maxSamples()), tasks);
      worked.addAll(round.apply(samples));
      if (samples.until() == rl.maxSamples()) {
        break;
      }
      Set<String> flat = flat(samples);
      LOG.info(
          "round: samples={}..{} zero_spread_tasks={}", from, samples.until() - 1, flat.size());
      if (flat.isEmpty()) {
        break;
      }
      tasks = Optional.of(flat);
    }
    return worked;
  }

  /** Tasks of a round with a group of equal rewards, by the samples up to the round's last. */
  private Set<String> flat(SampleRange samples) {
    Dataset<Row> groups =
        GroupComparison.of(
            spark,
            upTo(CompletionsTable.TABLE.read(spark, outputDir), samples),
            upTo(ScoresTable.TABLE.read(spark, outputDir), samples),
            runs.get(0).config().rl());
    Set<String> flat =
        new HashSet<>(
            groups
                .where("zero_spread")
                .select("task_id")
                .distinct()
                .as(Encoders.STRING())
                .collectAsList());
    samples.ids().ifPresent(flat::retainAll);
    return flat;
  }

  private Dataset<Row> upTo(Dataset<Row> rows, SampleRange samples) {
    return GrpoStage.ofConfigs(rows, runs).where(col("sample_index").lt(samples.until()));
  }
}
