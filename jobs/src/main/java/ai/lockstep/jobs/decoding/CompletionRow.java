package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.RowBuilder;
import ai.lockstep.udf.decode.Block;
import ai.lockstep.udf.decode.Commit;
import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.decode.PassRecord;
import ai.lockstep.udf.decode.RowMetrics;
import ai.lockstep.udf.spark.BlockText;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.jspecify.annotations.Nullable;

/** Turns what a replica returns into a row of {@code completions}. Runs on executors. */
final class CompletionRow {

  private static final short NO_PASS = -1;
  private static final byte NO_KIND = -1;
  private static final byte NO_BLOCK = -1;
  private static final short NO_SWEEP = 0;
  private static final int[] NO_IDS = {};

  private CompletionRow() {}

  /** The columns of a decoded row; those that say where it came from are left to the caller. */
  static RowBuilder decoded(
      Completion completion, RowMetrics metrics, List<Integer> eosIds, DreamTokenizer tokenizer) {
    int length = completion.tokenIds().length;
    int start = completion.promptIds().length;
    Byte[] block = new Byte[length];
    Short[] sweep = new Short[length];
    Short[] nfe = new Short[length];
    Byte[] kind = new Byte[length];
    Float[] p = new Float[length];
    Float[] score = new Float[length];
    Float[] logp = new Float[length];
    Boolean[] lossMask = new Boolean[length];
    Commit[] last = new Commit[length];
    Arrays.fill(block, NO_BLOCK);
    Arrays.fill(sweep, NO_SWEEP);
    Arrays.fill(lossMask, false);
    Arrays.fill(nfe, NO_PASS);
    Arrays.fill(kind, NO_KIND);
    Arrays.fill(p, Float.NaN);
    Arrays.fill(score, Float.NaN);
    Arrays.fill(logp, Float.NaN);
    for (Commit commit : completion.commits()) {
      // A later commit at the same position wins: eos_fill overwrites.
      int index = commit.position() - start;
      last[index] = commit;
      sweep[index] = (short) commit.sweep();
      nfe[index] = (short) commit.nfe();
      kind[index] = (byte) commit.kind().ordinal();
      p[index] = commit.p();
      score[index] = commit.score();
      logp[index] = commit.logProbability();
    }
    for (int number = 0; number < completion.blocks().size(); number++) {
      Block filled = completion.blocks().get(number);
      int from = filled.start() - start;
      Arrays.fill(block, from, from + filled.length(), (byte) number);
      int[] tokens = completion.tokenIds(filled);
      boolean ended = false;
      for (int i = 0; i < tokens.length && !ended; i++) {
        Commit commit = last[from + i];
        lossMask[from + i] = commit != null && commit.kind().isChosenByTheModel();
        ended = eosIds.contains(tokens[i]);
      }
    }
    return CompletionsTable.TABLE
        .row()
        .set("status", "ok")
        .set("error", null)
        .set("prompt_ids", completion.promptIds())
        .set("token_ids", completion.tokenIds())
        .set("text", tokenizer.decodeSkippingSpecials(completion.tokenIds()))
        .set("text_r", BlockText.of(completion, "R", eosIds, tokenizer).orElse(null))
        .set("text_a", BlockText.of(completion, "A", eosIds, tokenizer).orElse(null))
        .set("blocks", completion.blocks().stream().map(CompletionRow::block).toArray(Row[]::new))
        .set("nfe", completion.nfe())
        .set("nfe_r", metrics.nfeR())
        .set("nfe_a", metrics.nfeA())
        .set("committed_r", metrics.committedR())
        .set("committed_a", metrics.committedA())
        .set("tokens_r", metrics.tokensR())
        .set("tokens_a", metrics.tokensA())
        .set("forced_commits", metrics.forcedCommits())
        .set("forced_passes", metrics.forcedPasses())
        .set("empty_answer", metrics.emptyAnswer())
        .set("fill_rate_r", orNull(metrics.fillRateR()))
        .set("fill_rate_a", orNull(metrics.fillRateA()))
        .set("fill_rate", orNull(metrics.fillRate()))
        .set("tokens_per_nfe", orNull(metrics.tokensPerNfe()))
        .set("eos_filled", metrics.eosFilled())
        .set("wall_micros", metrics.wallMicros())
        .set("ar_ness_local", orNull(metrics.arNess().localAtOne()))
        .set("ar_ness_global", orNull(metrics.arNess().globalAtOne()))
        .set("ar_ness_local_k", metrics.arNess().local().toArray(Double[]::new))
        .set("ar_ness_global_k", metrics.arNess().global().toArray(Double[]::new))
        .set("commit_block", block)
        .set("commit_sweep", sweep)
        .set("commit_nfe", nfe)
        .set("commit_kind", kind)
        .set("commit_p", p)
        .set("commit_score", score)
        .set("commit_logp", logp)
        .set("loss_mask", lossMask)
        .set(
            "overwritten",
            completion.overwritten().stream()
                .map(old -> RowFactory.create(old.index(), old.token(), old.nfe()))
                .toArray(Row[]::new))
        .set("passes", completion.passes().stream().map(CompletionRow::pass).toArray(Row[]::new))
        .set("replayable", completion.replayable());
  }

  /** The columns of a row that could not be decoded. */
  static RowBuilder failed(int[] promptIds, String error) {
    RowBuilder row =
        CompletionsTable.TABLE
            .row()
            .set("status", "failed")
            .set("error", error)
            .set("prompt_ids", promptIds)
            .set("token_ids", NO_IDS)
            .set("blocks", new Row[0])
            .set("empty_answer", false)
            .set("passes", new Row[0])
            .set("replayable", false);
    for (String count :
        List.of(
            "nfe",
            "nfe_r",
            "nfe_a",
            "committed_r",
            "committed_a",
            "tokens_r",
            "tokens_a",
            "forced_commits",
            "forced_passes",
            "eos_filled")) {
      row.set(count, 0);
    }
    row.set("wall_micros", 0L);
    row.set("ar_ness_local_k", new Double[0]).set("ar_ness_global_k", new Double[0]);
    row.set("commit_block", new Byte[0]).set("commit_sweep", new Short[0]);
    row.set("commit_nfe", new Short[0]).set("commit_kind", new Byte[0]);
    row.set("loss_mask", new Boolean[0]).set("overwritten", new Row[0]);
    for (String perToken : List.of("commit_p", "commit_score", "commit_logp")) {
      row.set(perToken, new Float[0]);
    }
    return row;
  }

  /** Every commit in commit order, for {@code decode.trace=true}. */
  static Row[] trace(Completion completion) {
    return completion.commits().stream().map(CompletionRow::commit).toArray(Row[]::new);
  }

  private static Row commit(Commit commit) {
    return RowFactory.create(
        commit.nfe(),
        commit.position(),
        commit.token(),
        orNull(commit.p()),
        orNull(commit.score()),
        commit.block(),
        commit.kind().spelling());
  }

  private static @Nullable Float orNull(float value) {
    return Float.isNaN(value) ? null : value;
  }

  private static Row block(Block block) {
    return RowFactory.create(block.name(), block.start(), block.length());
  }

  private static Row pass(PassRecord pass) {
    return RowFactory.create(
        pass.nfe(),
        pass.sweep(),
        pass.blocks(),
        pass.masksBefore(),
        pass.committed(),
        pass.forced(),
        orNull(pass.meanP()),
        pass.wallMicros());
  }

  private static @Nullable Double orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }
}
