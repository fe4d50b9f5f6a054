package ai.lockstep.udf.decode;

import ai.lockstep.failure.LockstepException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Checks of configured values; every rejection names the key as the user writes it. */
final class Setting {

  private Setting() {}

  /** {@code Cannot decode with KEY=VALUE: RULE. Try KEY=SUGGESTION.} */
  static LockstepException rejected(String key, Object value, String rule, Object suggestion) {
    return LockstepException.user(
        "Cannot decode with %s=%s: %s. Try %s=%s.".formatted(key, value, rule, key, suggestion));
  }

  /** A threshold on a probability. */
  static void requireThreshold(String key, double value, String name, double suggestion) {
    if (!(value > 0 && value <= 1)) {
      throw rejected(key, value, name + " must lie in (0, 1]", suggestion);
    }
  }

  /** A number of positions, tokens or steps. */
  static void requireAtLeast(int least, String key, int value, String name, int suggestion) {
    if (value < least) {
      throw rejected(key, value, "%s must be %d or more".formatted(name, least), suggestion);
    }
  }

  /** {@code model.generation.max_new_tokens}. */
  static void requireNewTokens(int tokens) {
    requireAtLeast(1, "model.generation.max_new_tokens", tokens, "the number of tokens", 256);
  }

  /** {@code model.generation.steps}. */
  static void requireSteps(int steps, int suggestion) {
    requireAtLeast(1, "model.generation.steps", steps, "the number of steps", suggestion);
  }

  /** {@code decode.block_length}: blocks fill the region exactly. */
  static void requireBlocks(int blockLength, int newTokens) {
    if (blockLength < 1 || newTokens % blockLength != 0) {
      int divisor = Math.max(1, Math.min(blockLength, newTokens));
      while (newTokens % divisor != 0) {
        divisor--;
      }
      throw rejected(
          "decode.block_length",
          blockLength,
          "it must divide model.generation.max_new_tokens=%d".formatted(newTokens),
          divisor);
    }
  }

  /** {@code model.generation.steps} where every block gets the same number of them. */
  static void requireStepsOfBlocks(int steps, int blocks, int leastPerBlock) {
    if (steps < blocks * leastPerBlock || steps % blocks != 0) {
      String rule =
          leastPerBlock == 1
              ? "the steps must be a multiple of the %d blocks".formatted(blocks)
              : "the steps must be a multiple of the %d blocks, %d or more for each"
                  .formatted(blocks, leastPerBlock);
      int perBlock = Math.max(leastPerBlock, steps / blocks);
      throw rejected("model.generation.steps", steps, rule, blocks * perBlock);
    }
  }

  /** Dream's smallest time, the end of its linear schedule. */
  static void requireEps(double eps) {
    if (!(eps > 0 && eps < 1)) {
      throw rejected("model.generation.eps", eps, "the last time must lie in (0, 1)", 0.001);
    }
  }

  /** The constant whose lower-case name is {@code spelling}. */
  static <E extends Enum<E>> E choice(Class<E> type, String key, String spelling) {
    for (E constant : type.getEnumConstants()) {
      if (spelling(constant).equals(spelling)) {
        return constant;
      }
    }
    String choices =
        Arrays.stream(type.getEnumConstants())
            .map(Setting::spelling)
            .collect(Collectors.joining(", "));

    throw rejected(
        key, spelling, "it must be one of " + choices, spelling(type.getEnumConstants()[0]));
  }

  /** How a choice is written in configurations and tables. */
  static String spelling(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
