package ai.lockstep.jobs.decoding;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.DecodeConfig;
import ai.lockstep.jobs.config.GenerationConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.udf.decode.CacheMode;
import ai.lockstep.udf.decode.Confidence;
import ai.lockstep.udf.decode.D2fDecoder;
import ai.lockstep.udf.decode.Decoder;
import ai.lockstep.udf.decode.DreamDecoder;
import ai.lockstep.udf.decode.FastDllmDecoder;
import ai.lockstep.udf.decode.Hooks;
import ai.lockstep.udf.decode.LladaDecoder;
import ai.lockstep.udf.decode.LockstepDecoder;
import ai.lockstep.udf.decode.LockstepMode;
import ai.lockstep.udf.decode.LockstepSettings;
import ai.lockstep.udf.decode.Markers;
import ai.lockstep.udf.decode.ProposalSettings;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.Sampling;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** Makes the decoder that a configuration asks for. */
final class ConfiguredDecoder {

  private static final Markers NO_MARKERS = new Markers(new int[0], new int[0]);

  private ConfiguredDecoder() {}

  /**
   * Checks the settings without a tokenizer, so that a mistake is found before anything is loaded.
   *
   * @throws LockstepException naming the key, its value and what is allowed
   */
  static void check(RunConfig config) {
    decoder(config, lockstep -> NO_MARKERS);
  }

  /** The decoder; the tokenizer encodes the block markers. */
  static Decoder of(RunConfig config, DreamTokenizer tokenizer) {
    return decoder(
        config,
        lockstep ->
            new Markers(tokenizer.encode(lockstep.rOpen()), tokenizer.encode(lockstep.aOpen())));
  }

  private static Decoder decoder(
      RunConfig config, Function<DecodeConfig.Lockstep, Markers> markers) {
    GenerationConfig generation = config.model().generation();
    ProposalSettings proposals = proposals(generation, config.decode().common());
    if (config.decode() instanceof DecodeConfig.Lockstep lockstep) {
      return new LockstepDecoder(
          lockstep(lockstep, generation, proposals), markers.apply(lockstep));
    }
    if (config.decode() instanceof DecodeConfig.Dream dream) {
      return dream(dream, generation, proposals);
    }
    if (config.decode() instanceof DecodeConfig.Llada llada) {
      return llada(llada, generation, proposals);
    }
    if (config.decode() instanceof DecodeConfig.FastDllm fastDllm) {
      return fastDllm(fastDllm, generation, proposals);
    }
    return d2f((DecodeConfig.D2f) config.decode(), generation, proposals);
  }

  private static ProposalSettings proposals(
      GenerationConfig generation, DecodeConfig.Common common) {
    return new ProposalSettings(
        new Sampling(
            generation.temperature(),
            generation.topP(),
            generation.topK().orElse(Sampling.NO_TOP_K),
            common.suppressSpecial()),
        alignment(common),
        Hooks.load(common.logitsHook(), common.tokensHook()));
  }

  /** Where predictions are read; empty for the model's own way. */
  static Optional<Alignment> alignment(DecodeConfig.Common common) {
    return common.logitShift().map(shift -> shift ? Alignment.SHIFTED : Alignment.IN_PLACE);
  }

  private static LockstepSettings lockstep(
      DecodeConfig.Lockstep lockstep, GenerationConfig generation, ProposalSettings proposals) {
    if (generation.alg().equals("origin")) {
      throw LockstepException.user(
          "Cannot decode with model.generation.alg=origin: lockstep ranks positions by maskgit_plus, topk_margin or entropy. Try model.generation.alg=maskgit_plus.");
    }
    return new LockstepSettings(
        LockstepMode.named(lockstep.mode()),
        lockstep.tauR(),
        lockstep.tauA(),
        lockstep.maxFillFrac(),
        lockstep.halo(),
        lockstep.rLength(),
        lockstep.aLength(),
        CacheMode.named(lockstep.common().cache()),
        generation.steps().orElse(LockstepSettings.AS_LONG_AS_BLOCKS),
        Confidence.named(generation.alg()),
        generation.eosTokenIds(),
        proposals);
  }

  private static DreamDecoder dream(
      DecodeConfig.Dream dream, GenerationConfig generation, ProposalSettings proposals) {
    requireNoCache(dream);
    return new DreamDecoder(
        generation.maxNewTokens(),
        steps(generation),
        generation.eps(),
        Optional.of(generation.alg()).filter(alg -> !alg.equals("origin")).map(Confidence::named),
        generation.algTemp(),
        proposals);
  }

  private static LladaDecoder llada(
      DecodeConfig.Llada llada, GenerationConfig generation, ProposalSettings proposals) {
    requireNoCache(llada);
    return new LladaDecoder(
        generation.maxNewTokens(),
        steps(generation),
        llada.blockLength(),
        llada.cfgScale(),
        LladaDecoder.Remasking.valueOf(constant(llada.remasking())),
        proposals);
  }

  private static FastDllmDecoder fastDllm(
      DecodeConfig.FastDllm fastDllm, GenerationConfig generation, ProposalSettings proposals) {
    return new FastDllmDecoder(
        generation.maxNewTokens(),
        steps(generation),
        generation.eps(),
        FastDllmDecoder.Scope.valueOf(constant(fastDllm.scope())),
        FastDllmDecoder.Rule.valueOf(constant(fastDllm.rule())),
        fastDllm.blockLength(),
        fastDllm.threshold(),
        fastDllm.factor(),
        FastDllmDecoder.BlockStartRule.valueOf(constant(fastDllm.blockStartRule())),
        CacheMode.named(fastDllm.common().cache()),
        proposals);
  }

  private static D2fDecoder d2f(
      DecodeConfig.D2f d2f, GenerationConfig generation, ProposalSettings proposals) {
    return new D2fDecoder(
        generation.maxNewTokens(),
        d2f.blockLength(),
        d2f.blockAddThreshold(),
        d2f.decodedTokenThreshold(),
        d2f.skipThreshold(),
        D2fDecoder.SamplingStrategy.valueOf(constant(d2f.samplingStrategy())),
        generation.eosTokenIds(),
        CacheMode.named(d2f.common().cache()),
        proposals);
  }

  private static void requireNoCache(DecodeConfig decode) {
    if (!decode.common().cache().equals("none")) {
      throw LockstepException.user(
          "Cannot decode with decode.cache=%s: decode=%s reads the whole row in every pass. Try decode.cache=none."
              .formatted(decode.common().cache(), decode.name()));
    }
  }

  /** One token a step unless the configuration says otherwise. */
  private static int steps(GenerationConfig generation) {
    return generation.steps().orElse(generation.maxNewTokens());
  }

  private static String constant(String spelling) {
    return spelling.toUpperCase(Locale.ROOT);
  }
}
