package ai.lockstep.udf.decode;

import ai.lockstep.failure.LockstepException;
import java.util.Optional;

/**
 * What a user hangs into decoding. A row with hooks asks the model for raw logits, {@code
 * vocabSize} floats a target, and computes its statistics in Java: slow, meant for studies.
 */
public record Hooks(Optional<LogitsHook> logits, Optional<TokensHook> tokens) {

  /** Decoding as it is. */
  public static final Hooks NONE = new Hooks(Optional.empty(), Optional.empty());

  /**
   * Loads hooks by class name.
   *
   * @param logitsClass value of {@code decode.hooks.logits}
   * @param tokensClass value of {@code decode.hooks.tokens}
   * @throws LockstepException when a class is missing, is no hook or cannot be constructed
   */
  public static Hooks load(Optional<String> logitsClass, Optional<String> tokensClass) {
    return new Hooks(
        logitsClass.map(name -> instantiate("decode.hooks.logits", name, LogitsHook.class)),
        tokensClass.map(name -> instantiate("decode.hooks.tokens", name, TokensHook.class)));
  }

  /** Whether there is any. */
  boolean isEmpty() {
    return logits.isEmpty() && tokens.isEmpty();
  }

  private static <T> T instantiate(String key, String className, Class<T> type) {
    try {
      // Jars given to Spark with --jars are visible to the context class loader only.
      ClassLoader loader = Thread.currentThread().getContextClassLoader();
      Class<?> found = Class.forName(className, true, loader);
      return type.cast(found.getConstructor().newInstance());
    } catch (ClassNotFoundException e) {
      throw rejected(key, className, "no class of that name is on the class path", e);
    } catch (ClassCastException e) {
      throw rejected(key, className, "the class does not implement " + type.getName(), e);
    } catch (ReflectiveOperationException e) {
      throw rejected(
          key, className, "the class has no working public constructor without parameters", e);
    }
  }

  private static LockstepException rejected(
      String key, String className, String reason, Exception cause) {
    return LockstepException.user(
        "Cannot decode with %s=%s: %s. Try %s=null.".formatted(key, className, reason, key), cause);
  }
}
