package ai.lockstep.jobs.config;

import java.util.List;
import java.util.Optional;

/**
 * {@code decode}: the algorithm and its settings, typed. Ranges are checked by the decoders
 * themselves when they are made of it.
 */
public sealed interface DecodeConfig {

  /** What every decoder has. */
  Common common();

  /** {@code decode.name}. */
  String name();

  /**
   * Keys that every decoder has.
   *
   * @param cache {@code none}, {@code prefix} or {@code dual}
   * @param suppressSpecial whether the mask token and ids without a token are never proposed
   * @param logitShift whether position i is predicted at i - 1; empty for the model's own way
   * @param trace whether every committed token is kept
   * @param logitsHook class name
   * @param tokensHook class name
   */
  record Common(
      String cache,
      boolean suppressSpecial,
      Optional<Boolean> logitShift,
      boolean trace,
      Optional<String> logitsHook,
      Optional<String> tokensHook) {

    private static Common read(Keys keys) {
      Keys hooks = keys.map("hooks");
      Common common =
          new Common(
              keys.oneOf("cache", List.of("none", "prefix", "dual")),
              keys.flag("suppress_special"),
              keys.optionalFlag("logit_shift"),
              keys.flag("trace"),
              hooks.optionalText("logits"),
              hooks.optionalText("tokens"));
      hooks.rejectUnread();
      return common;
    }
  }

  /** Lockstep R/A decoding. */
  record Lockstep(
      Common common,
      String mode,
      double tauR,
      double tauA,
      double maxFillFrac,
      int halo,
      int rLength,
      int aLength,
      String rOpen,
      String aOpen)
      implements DecodeConfig {

    static final String NAME = "lockstep";

    private static Lockstep read(Common common, Keys keys) {
      Keys markers = keys.map("block_markers");
      Lockstep lockstep =
          new Lockstep(
              common,
              keys.oneOf("mode", List.of("gauss_seidel", "jacobi")),
              keys.number("tau_r"),
              keys.number("tau_a"),
              keys.number("max_fill_frac"),
              keys.integer("halo"),
              keys.integer("r_length"),
              keys.integer("a_length"),
              markers.text("r_open"),
              markers.text("a_open"));
      markers.rejectUnread();
      return lockstep;
    }

    @Override
    public String name() {
      return NAME;
    }
  }

  /** Dream's diffusion_generate. */
  record Dream(Common common) implements DecodeConfig {

    static final String NAME = "dream";

    @Override
    public String name() {
      return NAME;
    }
  }

  /** LLaDA's semi-autoregressive decoding. */
  record Llada(Common common, int blockLength, double cfgScale, String remasking)
      implements DecodeConfig {

    static final String NAME = "llada";

    private static Llada read(Common common, Keys keys) {
      return new Llada(
          common,
          keys.integer("block_length"),
          keys.number("cfg_scale"),
          keys.oneOf("remasking", List.of("low_confidence", "random")));
    }

    @Override
    public String name() {
      return NAME;
    }
  }

  /** Fast-dLLM. */
  record FastDllm(
      Common common,
      String scope,
      String rule,
      int blockLength,
      double threshold,
      double factor,
      String blockStartRule)
      implements DecodeConfig {

    static final String NAME = "fast_dllm";

    private static FastDllm read(Common common, Keys keys) {
      return new FastDllm(
          common,
          keys.oneOf("scope", List.of("block", "global")),
          keys.oneOf("rule", List.of("threshold", "factor", "schedule")),
          keys.integer("block_length"),
          keys.number("threshold"),
          keys.number("factor"),
          keys.oneOf("block_start_rule", List.of("forced", "threshold")));
    }

    @Override
    public String name() {
      return NAME;
    }
  }

  /** D2F. */
  record D2f(
      Common common,
      int blockLength,
      double blockAddThreshold,
      double decodedTokenThreshold,
      double skipThreshold,
      String samplingStrategy)
      implements DecodeConfig {

    static final String NAME = "d2f";

    private static D2f read(Common common, Keys keys) {
      return new D2f(
          common,
          keys.integer("block_length"),
          keys.number("block_add_threshold"),
          keys.number("decoded_token_threshold"),
          keys.number("skip_threshold"),
          keys.oneOf("sampling_strategy", List.of("default", "neg_entropy", "margin_confidence")));
    }

    @Override
    public String name() {
      return NAME;
    }
  }

  /** Reads the keys of the algorithm that {@code decode.name} names. */
  static DecodeConfig read(Keys keys) {
    Common common = Common.read(keys);
    String name =
        keys.oneOf("name", List.of(Lockstep.NAME, Dream.NAME, Llada.NAME, FastDllm.NAME, D2f.NAME));
    DecodeConfig config =
        switch (name) {
          case Lockstep.NAME -> Lockstep.read(common, keys);
          case Dream.NAME -> new Dream(common);
          case Llada.NAME -> Llada.read(common, keys);
          case FastDllm.NAME -> FastDllm.read(common, keys);
          default -> D2f.read(common, keys);
        };
    keys.rejectUnread();
    return config;
  }
}
