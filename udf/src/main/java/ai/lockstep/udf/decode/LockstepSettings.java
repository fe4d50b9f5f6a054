package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Sampling;
import java.util.List;

/**
 * Settings of {@link LockstepDecoder}, checked: an instance can be decoded with.
 *
 * @param mode {@code decode.mode}
 * @param tauR {@code decode.tau_r}: probability from which a token of R is accepted, in (0, 1]
 * @param tauA {@code decode.tau_a}: the same for A
 * @param maxFillFrac {@code decode.max_fill_frac}: the largest share of a block's masks one pass
 *     may commit, in (0, 1]; the step budget goes before it
 * @param halo {@code decode.halo}: positions recomputed on either side of the active block; only
 *     with a cache
 * @param rLength {@code decode.r_length}: positions of R, 0 for none
 * @param aLength {@code decode.a_length}: positions of A, 0 for none
 * @param cache {@code decode.cache}
 * @param steps {@code model.generation.steps}: the most sweeps, or {@link #AS_LONG_AS_BLOCKS}
 * @param alg {@code model.generation.alg}: what positions are ranked by; thresholds always test p
 * @param eosIds {@code model.generation.eos_token_ids}: ids that end A, the first fills; empty for
 *     the checkpoint's own
 * @param proposals how logits become proposals
 */
public record LockstepSettings(
    LockstepMode mode,
    double tauR,
    double tauA,
    double maxFillFrac,
    int halo,
    int rLength,
    int aLength,
    CacheMode cache,
    int steps,
    Confidence alg,
    List<Integer> eosIds,
    ProposalSettings proposals) {

  /** As many sweeps as the longer block has positions. */
  public static final int AS_LONG_AS_BLOCKS = 0;

  public LockstepSettings {
    Setting.requireThreshold("decode.tau_r", tauR, "the acceptance threshold", 0.85);
    Setting.requireThreshold("decode.tau_a", tauA, "the acceptance threshold", 0.85);
    if (!(maxFillFrac > 0 && maxFillFrac <= 1)) {
      throw Setting.rejected(
          "decode.max_fill_frac",
          maxFillFrac,
          "the share of a block filled by one pass must lie in (0, 1]",
          0.4);
    }
    Setting.requireAtLeast(0, "decode.halo", halo, "the number of positions", 8);
    Setting.requireAtLeast(0, "decode.r_length", rLength, "the number of positions", 256);
    Setting.requireAtLeast(0, "decode.a_length", aLength, "the number of positions", 256);
    if (rLength + aLength == 0) {
      throw Setting.rejected(
          "decode.a_length", aLength, "with decode.r_length=0 there is nothing to fill", 256);
    }
    Setting.requireAtLeast(0, "model.generation.steps", steps, "the number of sweeps", 512);
    eosIds = List.copyOf(eosIds);
  }

  /** The project's defaults for two blocks, temperature 0, no cache. */
  public static LockstepSettings of(int rLength, int aLength) {
    return new LockstepSettings(
        LockstepMode.GAUSS_SEIDEL,
        0.90,
        0.92,
        0.4,
        8,
        rLength,
        aLength,
        CacheMode.NONE,
        AS_LONG_AS_BLOCKS,
        Confidence.MASKGIT_PLUS,
        List.of(),
        ProposalSettings.of(new Sampling(0, 1, Sampling.NO_TOP_K, true)));
  }

  /** The most sweeps a row takes. */
  public int budget() {
    return steps == AS_LONG_AS_BLOCKS ? Math.max(rLength, aLength) : steps;
  }
}
