package ai.lockstep.jobs.profile;

import ai.lockstep.jobs.cli.TextTable;
import ai.lockstep.udf.replica.ReplicaLoad;
import ai.lockstep.udf.spark.GpuSampler;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;

/**
 * Where the time of one configuration went.
 *
 * <p>Decoding takes {@code decodeSeconds} on {@code replicas} replicas. Each of them is inside the
 * model, or in the decoder's own Java (choosing, committing, packing the batch), or waits: for
 * Spark's tasks to start and to end, for rows at the end of a shard, for Parquet to be written.
 *
 * @param label how a person tells the configuration apart
 * @param rows that were decoded
 * @param passesPerRow mean of the rows' forward passes
 * @param tokensPerPass committed tokens over passes
 * @param tokensPerSecond tokens in front of eos over the time in which a row was decoded
 * @param passAt1 share of right samples, plus if it ran
 * @param rowsPerBatch mean rows of a forward call
 * @param replicas that decoded
 * @param decodeSeconds wall time of the decoding stage
 * @param modelSeconds inside the model, sum over the replicas
 * @param javaSeconds in the decoder, sum over the replicas
 * @param waitingSeconds the rest of decodeSeconds x replicas
 * @param scoringSeconds wall time of judging
 * @param gpuPercent mean utilisation of the driver machine's GPUs while decoding; absent without
 * @param gpuMebibytes most memory in use on one of them while decoding; absent without
 */
public record ConfigurationProfile(
    @JsonProperty("label") String label,
    @JsonProperty("rows") long rows,
    @JsonProperty("passes_per_row") Optional<Double> passesPerRow,
    @JsonProperty("tokens_per_pass") Optional<Double> tokensPerPass,
    @JsonProperty("tokens_per_second") Optional<Double> tokensPerSecond,
    @JsonProperty("pass_at_1") Optional<Double> passAt1,
    @JsonProperty("rows_per_batch") double rowsPerBatch,
    @JsonProperty("replicas") int replicas,
    @JsonProperty("decode_seconds") double decodeSeconds,
    @JsonProperty("model_seconds") double modelSeconds,
    @JsonProperty("java_seconds") double javaSeconds,
    @JsonProperty("waiting_seconds") double waitingSeconds,
    @JsonProperty("scoring_seconds") double scoringSeconds,
    @JsonProperty("gpu_percent") Optional<Double> gpuPercent,
    @JsonProperty("gpu_mebibytes") Optional<Double> gpuMebibytes) {

  private static final String ABSENT = "-";
  private static final double NANOS = 1e9;

  /**
   * Puts the measurements together.
   *
   * @param metrics the configuration's row of {@code metrics}
   * @param load what the replicas did during {@code decoding}
   * @param replicas how many, at least 1
   */
  public static ConfigurationProfile of(
      String label,
      long rows,
      Row metrics,
      ReplicaLoad load,
      int replicas,
      Span decoding,
      Span scoring,
      List<GpuSampler.Sample> gpus) {
    double model = load.busyNanos() / NANOS;
    // The last pass may still be on its way into the count when its row is already back.
    double java = Math.max(0, load.workNanos() / NANOS - model);
    List<GpuSampler.Sample> during = gpus.stream().filter(decoding::contains).toList();
    return new ConfigurationProfile(
        label,
        rows,
        number(metrics, "passes_per_row"),
        number(metrics, "tokens_per_pass"),
        number(metrics, "tokens_per_second"),
        number(metrics, "pass_at_1_plus").or(() -> number(metrics, "pass_at_1_base")),
        load.rowsPerBatch(),
        replicas,
        decoding.seconds(),
        model,
        java,
        Math.max(0, decoding.seconds() * replicas - model - java),
        scoring.seconds(),
        known(during, GpuSampler.Sample::utilizationPercent, Reduction.MEAN),
        known(during, GpuSampler.Sample::memoryUsedMebibytes, Reduction.MOST));
  }

  /** From when to when something took place. */
  public record Span(Instant from, Instant to) {

    double seconds() {
      return Duration.between(from, to).toNanos() / NANOS;
    }

    boolean contains(GpuSampler.Sample sample) {
      return !sample.at().isBefore(from) && !sample.at().isAfter(to);
    }
  }

  private enum Reduction {
    MEAN,
    MOST
  }

  private static Optional<Double> known(
      List<GpuSampler.Sample> samples,
      ToDoubleFunction<GpuSampler.Sample> value,
      Reduction reduction) {
    double[] values =
        samples.stream().mapToDouble(value).filter(number -> !Double.isNaN(number)).toArray();
    OptionalDouble reduced =
        reduction == Reduction.MEAN ? Arrays.stream(values).average() : Arrays.stream(values).max();
    return reduced.isPresent() ? Optional.of(reduced.getAsDouble()) : Optional.empty();
  }

  private static Optional<Double> number(Row row, String column) {
    return Optional.ofNullable(row.<Double>getAs(column));
  }

  /** The table that a person reads; the columns of GPUs only where there are any. */
  public static String table(List<ConfigurationProfile> profiles) {
    boolean gpu =
        profiles.stream()
            .anyMatch(one -> one.gpuPercent.isPresent() || one.gpuMebibytes.isPresent());
    List<String> heading =
        List.of(
            "config",
            "rows",
            "passes/row",
            "tokens/pass",
            "tokens/s",
            "pass@1",
            "rows/batch",
            "decode s",
            "model s",
            "java s",
            "waiting s",
            "scoring s");
    TextTable table = new TextTable(gpu ? joined(heading, "gpu %", "gpu MiB") : heading);
    for (ConfigurationProfile profile : profiles) {
      List<String> cells =
          List.of(
              profile.label,
              String.valueOf(profile.rows),
              shown(profile.passesPerRow, "%.1f"),
              shown(profile.tokensPerPass, "%.2f"),
              shown(profile.tokensPerSecond, "%.1f"),
              shown(profile.passAt1, "%.3f"),
              format("%.2f", profile.rowsPerBatch),
              format("%.2f", profile.decodeSeconds),
              format("%.2f", profile.modelSeconds),
              format("%.2f", profile.javaSeconds),
              format("%.2f", profile.waitingSeconds),
              format("%.2f", profile.scoringSeconds));
      table.row(
          gpu
              ? joined(
                  cells, shown(profile.gpuPercent, "%.0f"), shown(profile.gpuMebibytes, "%.0f"))
              : cells);
    }
    return table.toString();
  }

  private static List<String> joined(List<String> cells, String one, String other) {
    return Stream.concat(cells.stream(), Stream.of(one, other)).toList();
  }

  private static String shown(Optional<Double> value, String format) {
    return value.map(number -> format(format, number)).orElse(ABSENT);
  }

  private static String format(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
