package ai.lockstep.jobs.decoding;

import java.io.Serializable;

/**
 * What a row is decoded from: text for the tokenizer, or ids that are taken as they are.
 * Serialised: yes.
 *
 * @param id unique within the input: the task id, or the prompts file's id
 * @param text empty when ids are given
 * @param ids empty when text is given
 */
public record Prompt(String id, String text, int[] ids) implements Serializable {

  private static final int[] NO_IDS = {};

  public Prompt {
    if (text.isEmpty() == (ids.length == 0)) {
      throw new IllegalArgumentException("A prompt has either text or ids: " + id);
    }
    ids = ids.clone();
  }

  /** A prompt for the tokenizer. */
  public static Prompt ofText(String id, String text) {
    return new Prompt(id, text, NO_IDS);
  }

  /** A prompt that is already tokenised; at least one id. */
  public static Prompt ofIds(String id, int[] ids) {
    return new Prompt(id, "", ids);
  }

  @Override
  public int[] ids() {
    return ids.clone();
  }
}
