package ai.lockstep.jobs.decoding;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.StringType;

import ai.lockstep.jobs.config.DecodeConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.tables.RowBuilder;
import ai.lockstep.udf.decode.Commit;
import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.Overwritten;
import ai.lockstep.udf.decode.Replay;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.spark.ExecutorModel;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;

/**
 * Whether stored log-probabilities can be had again from what is stored: the states of some rows
 * are rebuilt and the model is asked anew.
 *
 * @param samples rows that were replayed
 * @param tokens chosen tokens in them
 * @param largest the largest absolute difference; 0 when nothing was replayed
 */
public record ReplayCheck(long samples, long tokens, double largest) {

  /** A replayed row. */
  private static final StructType SCHEMA =
      new StructType()
          .add("sample", StringType, false)
          .add("tokens", IntegerType, false)
          .add("largest", DoubleType, false);

  /**
   * Why rows of a configuration have log-probabilities of their decoder's own, which full passes do
   * not give; empty when they can be replayed.
   */
  public static Optional<String> obstacle(RunConfig config) {
    DecodeConfig decode = config.decode();
    if (!decode.common().cache().equals("none")) {
      return Optional.of(
          "decode.cache=%s: passes read remembered keys".formatted(decode.common().cache()));
    }
    if (decode instanceof DecodeConfig.D2f) {
      return Optional.of("decode=d2f: its rows grow, and attention is block-causal");
    }
    if (decode instanceof DecodeConfig.Llada llada && llada.cfgScale() > 0) {
      return Optional.of("decode.cfg_scale=%s: logits are guided".formatted(llada.cfgScale()));
    }
    if (decode.common().logitsHook().isPresent()) {
      return Optional.of("decode.hooks.logits: logits are changed");
    }
    return Optional.empty();
  }

  /**
   * Replays rows on the executors' replicas.
   *
   * @param config the resolved configuration as JSON
   * @param grpo rows of {@code grpo}
   * @param samples how many are replayed at most: the first by the hash of their id
   */
  public static ReplayCheck of(String config, Dataset<Row> grpo, int samples) {
    List<Row> rows =
        grpo.where("replayable")
            .orderBy(functions.xxhash64(col("sample_id")))
            .limit(samples)
            .mapPartitions(new Partition(config), Encoders.row(SCHEMA))
            .collectAsList();
    return new ReplayCheck(
        rows.size(),
        rows.stream().mapToLong(row -> row.<Integer>getAs("tokens")).sum(),
        rows.stream().mapToDouble(row -> row.<Double>getAs("largest")).max().orElse(0));
  }

  /** Runs on executors; serialised with the configuration as JSON. */
  private record Partition(String config) implements MapPartitionsFunction<Row, Row> {

    private record InFlight(Row row, CompletableFuture<Completion> result) {}

    @Override
    public Iterator<Row> call(Iterator<Row> rows) throws JsonProcessingException {
      if (!rows.hasNext()) {
        return rows; // no reason to load a model
      }
      RunConfig settings = RunConfig.of((ObjectNode) new ObjectMapper().readTree(config));
      ExecutorModel model = ConfiguredModel.onExecutor(settings);
      Optional<Alignment> alignment = ConfiguredDecoder.alignment(settings.decode().common());
      List<InFlight> inFlight = new ArrayList<>();
      try {
        while (rows.hasNext()) {
          Row row = rows.next();
          String sample = row.getAs("sample_id");
          DecodeRequest request =
              new DecodeRequest(
                  sample, CompletedTokens.ints(row, "prompt_ids"), 0, row.getAs("task_id"), 0);
          inFlight.add(new InFlight(row, model.replica().submit(request, replay(row, alignment))));
        }
        List<Row> compared = new ArrayList<>();
        for (InFlight replayed : inFlight) {
          compared.add(compare(replayed.row, replayed.result.get()));
        }
        return compared.iterator();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("Interrupted while replaying", e);
      } catch (ExecutionException e) {
        throw new IllegalStateException("A row could not be replayed", e.getCause());
      }
    }

    private static Replay replay(Row row, Optional<Alignment> alignment) {
      List<Boolean> mask = row.getList(row.fieldIndex("loss_mask"));
      boolean[] chosen = new boolean[mask.size()];
      for (int i = 0; i < chosen.length; i++) {
        chosen[i] = mask.get(i);
      }
      List<Overwritten> overwritten = new ArrayList<>();
      for (Row old : row.<Row>getList(row.fieldIndex("overwritten"))) {
        overwritten.add(new Overwritten(old.getInt(0), old.getInt(1), old.getInt(2)));
      }
      return new Replay(
          CompletedTokens.ints(row, "token_ids"),
          CompletedTokens.ints(row, "commit_nfe"),
          chosen,
          overwritten,
          alignment);
    }

    private static Row compare(Row row, Completion replayed) {
      List<Float> stored = row.getList(row.fieldIndex("commit_logp"));
      double largest = 0;
      for (Commit commit : replayed.commits()) {
        int index = commit.position() - replayed.promptIds().length;
        double difference = Math.abs(commit.logProbability() - stored.get(index));
        // A stored NaN would compare as small.
        largest = Double.isNaN(difference) ? Double.NaN : Math.max(largest, difference);
      }
      return new RowBuilder(SCHEMA)
          .set("sample", row.getAs("sample_id"))
          .set("tokens", replayed.commits().size())
          .set("largest", largest)
          .build();
    }
  }

  /** One line for the terminal and the data card. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%d tokens of %d samples recomputed from their states; largest difference of ln p %.1e",
        tokens,
        samples,
        largest);
  }
}
