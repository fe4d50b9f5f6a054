package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.util.List;
import java.util.OptionalInt;

/**
 * {@code model.generation}. The decoders check what only they know, such as which {@code alg} they
 * have.
 *
 * @param maxNewTokens tokens to fill for decoders with one region, at least 1
 * @param steps most sweeps or steps, at least 1; empty for one token a step
 * @param temperature 0 for the most probable token
 * @param topP in (0, 1]; 1 keeps all tokens
 * @param topK at least 1; empty keeps all tokens
 * @param alg what positions are ranked by
 * @param algTemp 0 takes the best-ranked positions, above it they are drawn
 * @param eps last time of the linear schedule, in (0, 1)
 * @param eosTokenIds ids that end an answer, the first fills; empty for the checkpoint's
 * @param seed decides every random draw, with the task and the sample
 * @param n samples a task, at least 1
 */
public record GenerationConfig(
    int maxNewTokens,
    OptionalInt steps,
    double temperature,
    double topP,
    OptionalInt topK,
    String alg,
    double algTemp,
    double eps,
    List<Integer> eosTokenIds,
    long seed,
    int n) {

  public GenerationConfig {
    atLeastOne("max_new_tokens", maxNewTokens, "the number of tokens must be 1 or more");
    steps.ifPresent(
        s ->
            atLeastOne(
                "steps", s, "the number of steps must be 1 or more, or null for one token a step"));
    topK.ifPresent(k -> atLeastOne("top_k", k, "it must be 1 or more, or null for all tokens"));
    atLeastOne("n", n, "the number of samples a task must be 1 or more");
    require(
        "temperature",
        temperature,
        temperature >= 0 && temperature < Double.POSITIVE_INFINITY,
        "the temperature must be 0 or more");
    require(
        "top_p", topP, topP > 0 && topP <= 1, "it must lie in (0, 1], or be null for all tokens");
    require(
        "alg_temp",
        algTemp,
        algTemp >= 0 && algTemp < Double.POSITIVE_INFINITY,
        "it must be 0 or more, or null");
    require("eps", eps, eps > 0 && eps < 1, "it must lie in (0, 1)");
    eosTokenIds = List.copyOf(eosTokenIds);
    for (int id : eosTokenIds) {
      require("eos_token_ids", eosTokenIds, id >= 0, "token ids are 0 or more");
    }
  }

  static GenerationConfig read(Keys keys) {
    GenerationConfig generation =
        new GenerationConfig(
            keys.integer("max_new_tokens"),
            keys.optionalInteger("steps"),
            keys.number("temperature"),
            keys.optionalNumber("top_p").orElse(1.0),
            keys.optionalInteger("top_k"),
            keys.oneOf("alg", List.of("maskgit_plus", "topk_margin", "entropy", "origin")),
            keys.optionalNumber("alg_temp").orElse(0.0),
            keys.number("eps"),
            keys.integers("eos_token_ids"),
            keys.longInteger("seed"),
            keys.integer("n"));
    keys.rejectUnread();
    return generation;
  }

  private static void atLeastOne(String key, int value, String rule) {
    require(key, value, value >= 1, rule);
  }

  private static void require(String key, Object value, boolean holds, String rule) {
    if (!holds) {
      throw LockstepException.user(
          "Cannot run with model.generation.%s=%s: %s.".formatted(key, value, rule));
    }
  }
}
