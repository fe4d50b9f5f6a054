package ai.lockstep.udf.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.util.Utils;
import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Text to token ids and back.
 *
 * <p>Thread-safe. Holds native memory: close it. Calls that are running then end first, and later
 * ones fail: a JVM that is told to stop closes while its tasks still work.
 */
public final class DreamTokenizer implements AutoCloseable {

  private static final String DEFAULT_SYSTEM_MESSAGE = "You are a helpful assistant.";

  private final HuggingFaceTokenizer tokenizer;
  private final int tokenCount;
  private final ReadWriteLock open = new ReentrantReadWriteLock();
  private boolean closed;

  private DreamTokenizer(HuggingFaceTokenizer tokenizer, int tokenCount) {
    this.tokenizer = tokenizer;
    this.tokenCount = tokenCount;
  }

  /**
   * Opens a tokenizer.
   *
   * @param location a tokenizer.json, or a checkpoint folder that holds one or, as on the hub,
   *     vocab.json and merges.txt
   */
  public static DreamTokenizer open(Path location) {
    JsonNode definition = TokenizerDefinition.of(location);
    int highest = -1;
    for (JsonNode id : definition.path("model").path("vocab")) {
      highest = Math.max(highest, id.asInt());
    }
    for (JsonNode token : definition.path("added_tokens")) {
      highest = Math.max(highest, token.path("id").asInt());
    }
    requireLibrary();
    try {
      // Everything that DJL would else add or cut is switched off.
      HuggingFaceTokenizer tokenizer =
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(new ObjectMapper().writeValueAsBytes(definition)),
              Map.of("addSpecialTokens", "false", "padding", "false", "truncation", "false"));

      return new DreamTokenizer(tokenizer, highest + 1);
    } catch (IOException | RuntimeException e) {
      throw LockstepException.user(
          "Cannot load the tokenizer from %s: its files do not make a tokenizer (%s). Copy them again from the hub."
              .formatted(location, e.getMessage()),
          e);
    }
  }

  /**
   * Loads the bundled native library. Where DJL finds a GPU it would download another one, for
   * CUDA, that no tokenizer needs.
   */
  private static void requireLibrary() {
    if (Utils.getEnvOrSystemProperty("RUST_FLAVOR") == null) {
      System.setProperty("RUST_FLAVOR", "cpu");
    }
    try {
      LibUtils.checkStatus();
    } catch (RuntimeException e) {
      throw LockstepException.environment(
          "Cannot load the tokenizers' native library: %s. Unset RUST_FLAVOR and RUST_LIBRARY_PATH, or let them name a library that is there."
              .formatted(e.getMessage()),
          e);
    }
  }

  /** Ids below this have a token (151,667 for Dream-7B); those above only pad the model's head. */
  public int tokenCount() {
    return tokenCount;
  }

  /** Ids of a text. Added tokens in it, such as {@code <|im_end|>}, become their own ids. */
  public int[] encode(String text) {
    long[] ids = whileOpen(() -> tokenizer.encode(text, false, false).getIds());

    return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  /** Text of ids, special tokens included. Ids without a token give nothing. */
  public String decode(int[] ids) {
    return whileOpen(() -> tokenizer.decode(withToken(ids), false));
  }

  /** Text of ids without special tokens. Ids without a token give nothing. */
  public String decodeSkippingSpecials(int[] ids) {
    return whileOpen(() -> tokenizer.decode(withToken(ids), true));
  }

  /**
   * The text that asks for the assistant's next turn, in the template of Dream's instruct models
   * without tools. Nothing is put in front of it.
   *
   * @param messages the conversation; a system message, if there is one, comes first and replaces
   *     the default one
   */
  public static String chat(List<ChatMessage> messages) {
    StringBuilder text = new StringBuilder();
    if (messages.isEmpty() || messages.get(0).role() != ChatMessage.Role.SYSTEM) {
      append(text, ChatMessage.system(DEFAULT_SYSTEM_MESSAGE));
    }
    messages.forEach(message -> append(text, message));

    return text.append("<|im_start|>assistant\n").toString();
  }

  @Override
  public void close() {
    open.writeLock().lock();
    try {
      closed = true;
      tokenizer.close();
    } finally {
      open.writeLock().unlock();
    }
  }

  private <T> T whileOpen(Supplier<T> call) {
    open.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("The tokenizer was closed");
      }
      return call.get();
    } finally {
      open.readLock().unlock();
    }
  }

  private static void append(StringBuilder text, ChatMessage message) {
    text.append("<|im_start|>")
        .append(message.role().inTemplate())
        .append('\n')
        .append(message.content())
        .append("<|im_end|>\n");
  }

  private long[] withToken(int[] ids) {
    return Arrays.stream(ids).filter(id -> id >= 0 && id < tokenCount).asLongStream().toArray();
  }
}
