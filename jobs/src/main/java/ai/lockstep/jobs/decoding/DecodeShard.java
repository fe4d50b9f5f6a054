package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.tables.RowBuilder;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.Decoder;
import ai.lockstep.udf.decode.RowMetrics;
import ai.lockstep.udf.spark.ExecutorModel;
import ai.lockstep.udf.spark.GpuUse;
import ai.lockstep.udf.spark.RowsAhead;
import ai.lockstep.udf.tokenizer.ChatMessage;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.CollectionAccumulator;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.TaskCompletionListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes a shard on the executor's replica, which other Spark tasks of the executor feed as well,
 * also with other configurations. Runs on executors; serialised with the counters.
 *
 * <p>A row that cannot be decoded becomes a row with status {@code failed}; it stops nothing. So
 * does a row that ends the process: a shard whose executor died again and again is decoded row by
 * row, each marked as long as it is in flight, and the next try leaves out the one it finds marked.
 */
final class DecodeShard implements FlatMapFunction<DecodePlan.Shard, Row> {

  private static final long serialVersionUID = 1;

  private static final Logger LOG = LoggerFactory.getLogger(DecodeShard.class);

  /** Rows handed in ahead of the one waited for, as a multiple of a batch. */
  private static final int AHEAD = 2;

  /**
   * The first try that goes row by row. Most executors are lost for reasons of their own: one more
   * try with full batches costs less than a shard without them.
   */
  private static final int ROW_BY_ROW = 2;

  /** Held by who decodes a marked row: no other row's mark is there when a process dies of one. */
  private static final Object ALONE = new Object();

  /** Where a shard's model comes from; other than the configured one in benchmarks. */
  @FunctionalInterface
  interface Models extends Serializable {
    /** The model of a configuration on this executor, loaded once. */
    ExecutorModel on(RunConfig config);
  }

  private final RunIdentity run;
  private final Models models;
  private final CrashMarks crashes;
  private final HashMap<String, LongAccumulator> decoded;
  private final CollectionAccumulator<GpuUse> gpus;

  /**
   * @param decoded counts the finished rows of each configuration
   * @param gpus gets a reading of the replica's GPU at the end of every shard, when others still
   *     decode
   */
  DecodeShard(
      RunIdentity run,
      Models models,
      CrashMarks crashes,
      Map<String, LongAccumulator> decoded,
      CollectionAccumulator<GpuUse> gpus) {
    this.run = run;
    this.models = models;
    this.crashes = crashes;
    this.decoded = new HashMap<>(decoded);
    this.gpus = gpus;
  }

  /**
   * A row that was handed in.
   *
   * @param result is yet to come
   */
  private record InFlight(
      DecodePlan.Sample sample,
      DecodeRequest request,
      Instant started,
      CompletableFuture<Completion> result) {}

  @Override
  public Iterator<Row> call(DecodePlan.Shard shard) throws JsonProcessingException {
    RunConfig settings = RunConfig.of((ObjectNode) new ObjectMapper().readTree(shard.config()));
    LongAccumulator finished = decoded.get(shard.configId());
    ExecutorModel model = models.on(settings);
    Decoder decoder = ConfiguredDecoder.of(settings, model.tokenizer());
    TaskContext.get()
        .addTaskCompletionListener(
            (TaskCompletionListener) task -> model.gpuUse().ifPresent(gpus::add));
    if (goesRowByRow()) {
      LOG.warn("decoding rows one by one: earlier tries failed, rows={}", shard.samples().size());
      return new RowsAhead<>(
          shard.samples().iterator(),
          1,
          sample -> sample,
          sample -> {
            Row completion = alone(sample, settings, model, decoder);
            finished.add(1);
            return completion;
          });
    }
    int ahead = AHEAD * model.replica().maxRows();
    return new RowsAhead<>(
        shard.samples().iterator(),
        ahead,
        sample -> submit(sample, settings, model, decoder),
        row -> {
          Row completion = finish(row, settings, model);
          finished.add(1);
          return completion;
        });
  }

  /** Twins of a Spark task would take each other's marks for those of the dead. */
  private static boolean goesRowByRow() {
    return TaskContext.get().attemptNumber() >= ROW_BY_ROW
        && !SparkEnv.get().conf().getBoolean("spark.speculation", false);
  }

  private Row alone(
      DecodePlan.Sample sample, RunConfig settings, ExecutorModel model, Decoder decoder) {
    DecodeRequest request = request(sample, settings, model);
    try {
      if (crashes.has(settings.configId(), request)) {
        InFlight dead = new InFlight(sample, request, Instant.now(), new CompletableFuture<>());
        dead.result.completeExceptionally(
            new IllegalStateException(
                "The process that decoded this row alone died, or ran out of memory"));
        return finish(dead, settings, model);
      }
      synchronized (ALONE) {
        crashes.set(settings.configId(), request);
        InFlight row = submit(sample, request, model, decoder);
        try {
          return finish(row, settings, model);
        } finally {
          if (!endedTheReplica(row)) {
            crashes.clear(settings.configId(), request);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot mark " + request.id() + " as being decoded", e);
    }
  }

  /** Too little memory, say: the process lives on, and the row is as bad as one that kills it. */
  private static boolean endedTheReplica(InFlight row) {
    return row.result.handle((completion, failure) -> failure instanceof Error).getNow(false);
  }

  private static DecodeRequest request(
      DecodePlan.Sample sample, RunConfig settings, ExecutorModel model) {
    String task = sample.prompt().id();
    return new DecodeRequest(
        task + "#" + sample.sampleIndex(),
        promptIds(sample.prompt(), settings, model.tokenizer()),
        settings.model().generation().seed(),
        task,
        sample.sampleIndex());
  }

  private static InFlight submit(
      DecodePlan.Sample sample, RunConfig settings, ExecutorModel model, Decoder decoder) {
    return submit(sample, request(sample, settings, model), model, decoder);
  }

  private static InFlight submit(
      DecodePlan.Sample sample, DecodeRequest request, ExecutorModel model, Decoder decoder) {
    Instant started = Instant.now();
    try {
      return new InFlight(sample, request, started, model.replica().submit(request, decoder));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while decoding " + request.id(), e);
    }
  }

  /** Given ids as they are; else the prompt's text, in the chat template if so configured. */
  private static int[] promptIds(Prompt prompt, RunConfig settings, DreamTokenizer tokenizer) {
    if (prompt.text().isEmpty()) {
      return prompt.ids();
    }
    String text = prompt.text();
    return tokenizer.encode(
        switch (settings.model().prompt()) {
          case RAW -> text;
          case CHAT ->
              settings
                  .model()
                  .torchScript()
                  .flatMap(exported -> exported.chat(text))
                  .orElseGet(() -> DreamTokenizer.chat(List.of(ChatMessage.user(text))));
        });
  }

  private Row finish(InFlight row, RunConfig settings, ExecutorModel model) {
    RowBuilder columns;
    try {
      Completion completion = row.result.get();
      List<Integer> configured = settings.model().generation().eosTokenIds();
      List<Integer> eosIds = configured.isEmpty() ? model.replica().spec().eosIds() : configured;
      RowMetrics metrics = RowMetrics.of(completion, eosIds);
      columns = CompletionRow.decoded(completion, metrics, eosIds, model.tokenizer());
      if (settings.decode().common().trace()) {
        columns.set("trace", CompletionRow.trace(completion));
      }
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      if (cause instanceof Error || cause instanceof CancellationException) {
        // The replica has ended, perhaps over another row. Not as a cause: Spark ends a process
        // whose Spark task failed of an error, and in local mode that process is the driver.
        throw new IllegalStateException(
            "Replica %s ended: %s".formatted(model.replica().name(), cause));
      }
      String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
      columns = CompletionRow.failed(row.request.promptIds(), reason);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while decoding", e);
    }
    return columns
        .set("run_id", run.runId())
        .set("dataset", run.dataset())
        .set("task_id", row.sample.prompt().id())
        .set("sample_index", row.sample.sampleIndex())
        .set("input_index", row.sample.inputIndex())
        .set("prompt", row.sample.prompt().text().isEmpty() ? null : row.sample.prompt().text())
        .set("seed", settings.model().generation().seed())
        .set("model", run.model())
        .set("model_digest", run.modelDigest())
        .set("device", model.device())
        .set("replica", model.replica().name())
        .set("started_at", Timestamp.from(row.started))
        .set("finished_at", Timestamp.from(Instant.now()))
        .set(Table.PARTITION, settings.configId())
        .build();
  }
}
