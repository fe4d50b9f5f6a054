package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.tables.RowBuilder;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.Decoder;
import ai.lockstep.udf.decode.RowMetrics;
import ai.lockstep.udf.spark.ExecutorModel;
import ai.lockstep.udf.spark.RowsAhead;
import ai.lockstep.udf.tokenizer.ChatMessage;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.LongAccumulator;

/**
 * Decodes a shard on the executor's replica, which other Spark tasks of the executor feed as well,
 * also with other configurations. Runs on executors; serialised with the counters.
 *
 * <p>A row that cannot be decoded becomes a row with status {@code failed}; it stops nothing.
 */
final class DecodeShard implements FlatMapFunction<DecodePlan.Shard, Row> {

  private static final long serialVersionUID = 1;

  /** Rows handed in ahead of the one waited for, as a multiple of a batch. */
  private static final int AHEAD = 2;

  /** Where a shard's model comes from; other than the configured one in benchmarks. */
  @FunctionalInterface
  interface Models extends Serializable {
    /** The model of a configuration on this executor, loaded once. */
    ExecutorModel on(RunConfig config);
  }

  private final RunIdentity run;
  private final Models models;
  private final HashMap<String, LongAccumulator> decoded;

  /**
   * @param decoded counts the finished rows of each configuration
   */
  DecodeShard(RunIdentity run, Models models, Map<String, LongAccumulator> decoded) {
    this.run = run;
    this.models = models;
    this.decoded = new HashMap<>(decoded);
  }

  private record InFlight(
      DecodePlan.Sample sample,
      int[] promptIds,
      Instant started,
      CompletableFuture<Completion> result) {}

  @Override
  public Iterator<Row> call(DecodePlan.Shard shard) throws JsonProcessingException {
    RunConfig settings = RunConfig.of((ObjectNode) new ObjectMapper().readTree(shard.config()));
    LongAccumulator finished = decoded.get(shard.configId());
    ExecutorModel model = models.on(settings);
    Decoder decoder = ConfiguredDecoder.of(settings, model.tokenizer());
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

  private static InFlight submit(
      DecodePlan.Sample sample, RunConfig settings, ExecutorModel model, Decoder decoder) {
    int[] ids = promptIds(sample.prompt(), settings, model.tokenizer());
    String task = sample.prompt().id();
    DecodeRequest request =
        new DecodeRequest(
            task + "#" + sample.sampleIndex(),
            ids,
            settings.model().generation().seed(),
            task,
            sample.sampleIndex());
    Instant started = Instant.now();
    try {
      return new InFlight(sample, ids, started, model.replica().submit(request, decoder));
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
      String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
      columns = CompletionRow.failed(row.promptIds, reason);
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
