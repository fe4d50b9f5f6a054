package ai.lockstep.udf.tokenizer;

import java.util.Locale;

/**
 * One turn of a conversation.
 *
 * @param role who speaks
 * @param content what is said, verbatim
 */
public record ChatMessage(Role role, String content) {

  /** Who speaks. */
  public enum Role {
    SYSTEM,
    USER,
    ASSISTANT;

    /** The name as the template writes it. */
    String inTemplate() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** An instruction for the whole conversation. */
  public static ChatMessage system(String content) {
    return new ChatMessage(Role.SYSTEM, content);
  }

  /** A question or task. */
  public static ChatMessage user(String content) {
    return new ChatMessage(Role.USER, content);
  }

  /** An earlier answer. */
  public static ChatMessage assistant(String content) {
    return new ChatMessage(Role.ASSISTANT, content);
  }
}
