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
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.LongAccumulator;

/**
 * Decodes the rows of one partition on the executor's replica, which other Spark tasks of the
 * executor feed as well. Runs on executors; serialised with the configuration as JSON.
 *
 * <p>A row that cannot be decoded becomes a row with status {@code failed}; it stops nothing.
 */
final class DecodePartition implements MapPartitionsFunction<Row, Row> {

  private static final long serialVersionUID = 1;

  /** Rows handed in ahead of the one waited for, as a multiple of a batch. */
  private static final int AHEAD = 2;

  private final String config;
  private final RunIdentity run;
  private final LongAccumulator decoded;

  /**
   * @param config the resolved configuration as JSON
   * @param decoded counts finished rows, for display
   */
  DecodePartition(String config, RunIdentity run, LongAccumulator decoded) {
    this.config = config;
    this.run = run;
    this.decoded = decoded;
  }

  private record InFlight(
      Row plan, int[] promptIds, Instant started, CompletableFuture<Completion> result) {}

  @Override
  public Iterator<Row> call(Iterator<Row> plans) throws JsonProcessingException {
    RunConfig settings = RunConfig.of((ObjectNode) new ObjectMapper().readTree(config));
    ExecutorModel model = ConfiguredModel.onExecutor(settings);
    Decoder decoder = ConfiguredDecoder.of(settings, model.tokenizer());
    int ahead = AHEAD * model.replica().maxRows();
    return new RowsAhead<>(
        plans,
        ahead,
        plan -> submit(plan, settings, model, decoder),
        row -> {
          Row finished = finish(row, settings, model);
          decoded.add(1);
          return finished;
        });
  }

  private static InFlight submit(
      Row plan, RunConfig settings, ExecutorModel model, Decoder decoder) {
    int[] ids = promptIds(plan, settings, model.tokenizer());
    String task = plan.getAs("task_id");
    int sample = plan.getAs("sample_index");
    DecodeRequest request =
        new DecodeRequest(
            task + "#" + sample, ids, settings.model().generation().seed(), task, sample);
    Instant started = Instant.now();
    try {
      return new InFlight(plan, ids, started, model.replica().submit(request, decoder));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while decoding " + request.id(), e);
    }
  }

  /** Given ids as they are; else the prompt's text, in the chat template if so configured. */
  private static int[] promptIds(Row plan, RunConfig settings, DreamTokenizer tokenizer) {
    List<Integer> given =
        plan.isNullAt(plan.fieldIndex("prompt_ids"))
            ? List.of()
            : plan.getList(plan.fieldIndex("prompt_ids"));
    if (!given.isEmpty()) {
      return given.stream().mapToInt(Integer::intValue).toArray();
    }
    String text = plan.getAs("prompt");
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
        .set("task_id", row.plan.getAs("task_id"))
        .set("sample_index", row.plan.getAs("sample_index"))
        .set("input_index", row.plan.getAs("input_index"))
        .set("prompt", row.plan.getAs("prompt"))
        .set("seed", settings.model().generation().seed())
        .set("model", run.model())
        .set("model_digest", run.modelDigest())
        .set("device", model.device())
        .set("replica", model.replica().name())
        .set("started_at", Timestamp.from(row.started))
        .set("finished_at", Timestamp.from(Instant.now()))
        .set(Table.PARTITION, row.plan.getAs(Table.PARTITION))
        .build();
  }
}
