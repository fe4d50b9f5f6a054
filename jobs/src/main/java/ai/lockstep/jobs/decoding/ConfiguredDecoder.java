package ai.lockstep.jobs.decoding;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.DecodeConfig;
import ai.lockstep.jobs.config.GenerationConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.udf.decode.CacheMode;
import ai.lockstep.udf.decode.Confidence;
import ai.lockstep.udf.decode.Decoder;
import ai.lockstep.udf.decode.Hooks;
import ai.lockstep.udf.decode.LockstepDecoder;
import ai.lockstep.udf.decode.LockstepMode;
import ai.lockstep.udf.decode.LockstepSettings;
import ai.lockstep.udf.decode.Markers;
import ai.lockstep.udf.model.Sampling;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.util.Locale;

/** Makes the decoder that a configuration asks for. */
final class ConfiguredDecoder {

  private ConfiguredDecoder() {}

  /**
   * Checks the settings without a tokenizer, so that a mistake is found before anything is loaded.
   *
   * @throws LockstepException naming the key, its value and what is allowed
   */
  static void check(RunConfig config) {
    settings(config, lockstep(config));
    hooks(config);
  }

  /** The decoder; the tokenizer encodes the block markers. */
  static Decoder of(RunConfig config, DreamTokenizer tokenizer) {
    DecodeConfig.Lockstep lockstep = lockstep(config);
    Markers markers =
        new Markers(tokenizer.encode(lockstep.rOpen()), tokenizer.encode(lockstep.aOpen()));
    return new LockstepDecoder(settings(config, lockstep), markers, hooks(config));
  }

  private static DecodeConfig.Lockstep lockstep(RunConfig config) {
    if (config.decode() instanceof DecodeConfig.Lockstep lockstep) {
      return lockstep;
    }
    throw LockstepException.user(
        "Cannot decode with decode.name=%s: this version decodes with lockstep only. Try decode=lockstep or decode=jacobi."
            .formatted(config.decode().name()));
  }

  private static LockstepSettings settings(RunConfig config, DecodeConfig.Lockstep lockstep) {
    GenerationConfig generation = config.model().generation();
    if (generation.alg().equals("origin")) {
      throw LockstepException.user(
          "Cannot decode with model.generation.alg=origin: lockstep ranks positions by maskgit_plus, topk_margin or entropy. Try model.generation.alg=maskgit_plus.");
    }
    return new LockstepSettings(
        LockstepMode.valueOf(constant(lockstep.mode())),
        lockstep.tauR(),
        lockstep.tauA(),
        lockstep.maxFillFrac(),
        lockstep.halo(),
        lockstep.rLength(),
        lockstep.aLength(),
        CacheMode.valueOf(constant(lockstep.common().cache())),
        generation.steps().orElse(LockstepSettings.AS_LONG_AS_BLOCKS),
        Confidence.valueOf(constant(generation.alg())),
        new Sampling(
            generation.temperature(),
            generation.topP(),
            generation.topK().orElse(Sampling.NO_TOP_K),
            lockstep.common().suppressSpecial()),
        generation.eosTokenIds());
  }

  private static Hooks hooks(RunConfig config) {
    DecodeConfig.Common common = config.decode().common();
    return Hooks.load(common.logitsHook(), common.tokensHook());
  }

  private static String constant(String spelling) {
    return spelling.toUpperCase(Locale.ROOT);
  }
}
