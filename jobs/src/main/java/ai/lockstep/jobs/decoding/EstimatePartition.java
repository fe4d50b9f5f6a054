package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.config.RlConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.tables.LogProbsTable;
import ai.lockstep.jobs.tables.Table;
import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.Uniforms;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.rollout.AskedPasses;
import ai.lockstep.udf.rollout.HiddenTokens;
import ai.lockstep.udf.rollout.LogProbabilityEstimate;
import ai.lockstep.udf.spark.ExecutorModel;
import ai.lockstep.udf.spark.RowsAhead;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.LongAccumulator;

/**
 * Estimates the log-probabilities of decoded samples on the executor's replica, whose batches hold
 * the passes of several samples. Runs on executors; serialised with the configuration as JSON.
 */
final class EstimatePartition implements MapPartitionsFunction<Row, Row> {

  private static final long serialVersionUID = 1;

  /** Rows handed in ahead of the one waited for, as a multiple of a batch. */
  private static final int AHEAD = 2;

  private final String config;
  private final String runId;
  private final LongAccumulator estimated;

  EstimatePartition(String config, String runId, LongAccumulator estimated) {
    this.config = config;
    this.runId = runId;
    this.estimated = estimated;
  }

  private record InFlight(
      Row sample,
      int[] indexes,
      HiddenTokens hidden,
      LogProbabilityEstimate estimate,
      AskedPasses passes,
      CompletableFuture<Completion> done) {}

  @Override
  public Iterator<Row> call(Iterator<Row> samples) throws JsonProcessingException {
    if (!samples.hasNext()) {
      return samples; // no reason to load a model
    }
    RunConfig settings = RunConfig.of((ObjectNode) new ObjectMapper().readTree(config));
    ExecutorModel model = ConfiguredModel.onExecutor(settings);
    return new RowsAhead<>(
        samples,
        AHEAD * model.replica().maxRows(),
        sample -> submit(sample, settings, model),
        asked -> {
          Row row = finish(asked, settings.rl());
          estimated.add(1);
          return row;
        });
  }

  private static InFlight submit(Row sample, RunConfig settings, ExecutorModel model) {
    CompletedTokens completed = CompletedTokens.of(sample);
    int[] prompt = completed.prompt();
    int[] positions = completed.positions();
    String task = sample.getAs("task_id");
    int number = sample.getAs("sample_index");
    DecodeRequest request =
        new DecodeRequest(
            task + "#" + number, prompt, settings.model().generation().seed(), task, number);
    Uniforms uniforms = Uniforms.of(request);
    ModelSpec own = model.replica().spec();
    ModelSpec spec =
        ConfiguredDecoder.alignment(settings.decode().common()).map(own::withAlignment).orElse(own);
    HiddenTokens hidden;
    LogProbabilityEstimate estimate;
    if (settings.rl().logProbs() == RlConfig.LogProbs.COUPLED) {
      hidden = HiddenTokens.ofCompletion(uniforms, positions);
      estimate =
          LogProbabilityEstimate.coupled(
              completed.tokens(), positions, hidden.flags(), hidden.ratio(), spec);
    } else {
      hidden = HiddenTokens.ofPrompt(uniforms, prompt.length, settings.rl().d1PromptMask());
      estimate =
          LogProbabilityEstimate.ofHiddenPrompt(
              completed.tokens(), positions, hidden.flags(), spec);
    }
    AskedPasses passes = new AskedPasses(estimate.passes());
    try {
      return new InFlight(
          sample,
          completed.indexes(),
          hidden,
          estimate,
          passes,
          model.replica().submit(request, passes));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while estimating " + request.id(), e);
    }
  }

  private Row finish(InFlight asked, RlConfig rl) {
    try {
      asked.done.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("A sample's log-probabilities failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while estimating", e);
    }
    boolean coupled = rl.logProbs() == RlConfig.LogProbs.COUPLED;
    int length = asked.sample.getList(asked.sample.fieldIndex("token_ids")).size();
    float[] estimate = asked.estimate.combine(asked.passes.answers());
    Float[] logp = new Float[length];
    Float[] full = new Float[length];
    Boolean[] flags = new Boolean[coupled ? length : asked.hidden.flags().length];
    Arrays.fill(logp, Float.NaN);
    Arrays.fill(full, Float.NaN);
    Arrays.fill(flags, false);
    boolean[] drawn = asked.hidden.flags();
    for (int k = 0; k < asked.indexes.length; k++) {
      logp[asked.indexes[k]] = estimate[k];
      // The first pass of the coupled estimate hides all of the completion.
      full[asked.indexes[k]] = asked.passes.answers().get(0).givenLogProbability(k);
    }
    for (int i = 0; i < drawn.length; i++) {
      flags[coupled ? asked.indexes[i] : i] = drawn[i];
    }
    return LogProbsTable.TABLE
        .row()
        .set("run_id", runId)
        .set("task_id", asked.sample.getAs("task_id"))
        .set("sample_index", asked.sample.getAs("sample_index"))
        .set("method", rl.logProbs().spelling())
        .set("prompt_mask", EstimateStage.promptMask(rl))
        .set("logp", logp)
        .set("logp_full", coupled ? full : null)
        .set("hidden", flags)
        .set("ratio", (float) asked.hidden.ratio())
        .set("passes", asked.passes.answers().size())
        .set(Table.PARTITION, asked.sample.getAs(Table.PARTITION))
        .build();
  }
}
