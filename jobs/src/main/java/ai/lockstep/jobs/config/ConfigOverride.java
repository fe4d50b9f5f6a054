package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;

/**
 * One parsed override of the command line, such as {@code ++decode.tau_r=0.8}.
 *
 * @param text as it was typed
 * @param operation what to do with the key
 * @param key dotted path of a value, or slashed name of a group
 * @param keyColumn where the key starts in {@code text}
 * @param targetPackage what follows the {@code @} of {@code group@package=option}
 * @param value what follows the {@code =}
 */
record ConfigOverride(
    String text,
    Operation operation,
    String key,
    int keyColumn,
    Optional<String> targetPackage,
    OverrideValue value) {

  /** The sign in front of the key. */
  enum Operation {
    /** {@code key=value}: the key must exist. */
    SET(""),
    /** {@code +key=value}: the key must not exist. */
    ADD("+"),
    /** {@code ++key=value}: sets or adds. */
    SET_OR_ADD("++"),
    /** {@code ~key} or {@code ~key=value}: removes. */
    DELETE("~");

    private final String sign;

    Operation(String sign) {
      this.sign = sign;
    }

    String sign() {
      return sign;
    }
  }

  /** Parses an override; the grammar is documented at {@link OverrideParser}. */
  static ConfigOverride parse(String text) {
    return new OverrideParser(text).parse();
  }

  /** The key with its package: what names a choice in a defaults list. */
  String keyWithPackage() {
    return targetPackage.map(name -> key + "@" + name).orElse(key);
  }

  /** The override's text from the value on. */
  String valueText() {
    int equals = text.indexOf('=');
    return equals < 0 ? "" : text.substring(equals + 1);
  }

  /**
   * The one value to set.
   *
   * @throws LockstepException when the override is one of a sweep
   */
  JsonNode singleValue() {
    if (value instanceof OverrideValue.Single single) {
      return single.value();
    }
    if (value instanceof OverrideValue.CommaSeparated) {
      throw Caret.at(
          ("Ambiguous value for '%s': use %s=[%s] for a list, quote it (%s=\"'%s'\") for text,"
                  + " or add --multirun to run once for each value.")
              .formatted(key, key, valueText(), key, valueText()),
          text,
          text.indexOf('=') + 1);
    }
    throw Caret.at(
        "Could not set '%s' to a sweep: add --multirun to run once for each value.".formatted(key),
        text,
        text.indexOf('=') + 1);
  }

  /** A failure that points into this override. */
  LockstepException failure(String message, int column) {
    return Caret.at(message, text, column);
  }
}
