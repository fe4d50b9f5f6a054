package ai.lockstep.udf.spark;

import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.LockstepDecoder;
import ai.lockstep.udf.decode.RowMetrics;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/** Answers the prompts of one partition. Runs on executors; serialised: yes. */
final class GeneratePartition implements MapPartitionsFunction<Row, Row> {

  private static final long serialVersionUID = 1;

  /** Rows handed in ahead of the one waited for, as a multiple of a batch. */
  private static final int AHEAD = 2;

  private final GeneratorSettings settings;
  private final StructType schema;

  /**
   * @param schema of the rows that are returned: with the answer, and with details or without
   */
  GeneratePartition(GeneratorSettings settings, StructType schema) {
    this.settings = settings;
    this.schema = schema;
  }

  private record InFlight(Row row, CompletableFuture<Completion> result) {}

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    if (!rows.hasNext()) {
      // An empty partition needs no model.
      return rows;
    }
    ExecutorModel model =
        ExecutorModel.get(settings.model(), Placement.on(settings.device()), settings.batchSize());
    LockstepDecoder decoder = settings.decoder(model.tokenizer());
    return new RowsAhead<>(
        rows,
        AHEAD * settings.batchSize(),
        row -> submit(row, model, decoder),
        row -> finish(row, model));
  }

  private InFlight submit(Row row, ExecutorModel model, LockstepDecoder decoder) {
    String prompt = row.getAs(settings.inputCol());
    if (prompt == null) {
      return new InFlight(
          row, CompletableFuture.failedFuture(new IllegalArgumentException("the prompt is null")));
    }
    String id =
        settings.idCol().isEmpty() ? prompt : String.valueOf(row.<String>getAs(settings.idCol()));
    DecodeRequest request =
        new DecodeRequest(
            id, settings.promptIds(prompt, model.tokenizer()), settings.seed(), id, 0);
    try {
      return new InFlight(row, model.replica().submit(request, decoder));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while decoding", e);
    }
  }

  private Row finish(InFlight row, ExecutorModel model) {
    try {
      Completion completion = row.result.get();
      List<Integer> eosIds = model.replica().spec().eosIds();
      String text = model.tokenizer().decodeSkippingSpecials(completion.tokenIds());
      String answer = BlockText.of(completion, "A", eosIds, model.tokenizer()).orElse(text);
      return RowWithMore.of(schema, row.row, answer, details(completion, text, eosIds, model));
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
      return RowWithMore.of(
          schema,
          row.row,
          null,
          RowWithMore.struct(
              LockstepGenerator.DETAILS,
              reason,
              null,
              null,
              null,
              null,
              null,
              null,
              null,
              model.replica().name()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while decoding", e);
    }
  }

  private static Row details(
      Completion completion, String text, List<Integer> eosIds, ExecutorModel model) {
    RowMetrics metrics = RowMetrics.of(completion, eosIds);
    return RowWithMore.struct(
        LockstepGenerator.DETAILS,
        null,
        text,
        BlockText.of(completion, "R", eosIds, model.tokenizer()).orElse(null),
        BlockText.of(completion, "A", eosIds, model.tokenizer()).orElse(null),
        completion.tokenIds(),
        completion.nfe(),
        orNull(metrics.fillRate()),
        orNull(metrics.tokensPerNfe()),
        model.replica().name());
  }

  private static @Nullable Double orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }
}
