package ai.lockstep.jobs.config;

import ai.lockstep.datasets.PromptStyle;
import ai.lockstep.failure.LockstepException;
import java.util.Optional;

/**
 * {@code model}: which checkpoint, where it runs and how it generates.
 *
 * @param name what reports call it
 * @param path a folder, a TorchScript file, or {@code bundled:NAME}; wins over {@code hfName}
 * @param hfName organisation/model on the Hugging Face hub
 * @param revision branch, tag or commit on the hub
 * @param download {@code DENIED} leaves the network alone
 * @param adapter folder of a LoRA adapter to merge
 * @param dtype number format of the computation
 * @param device where a replica runs
 * @param prompt how a task becomes a prompt
 * @param torchScript what an exported model does not say of itself; present for exported models
 * @param generation how tokens are chosen
 */
public record ModelConfig(
    String name,
    Optional<String> path,
    Optional<String> hfName,
    Optional<String> revision,
    Download download,
    Optional<String> adapter,
    Precision dtype,
    DeviceChoice device,
    PromptStyle prompt,
    Optional<TorchScriptConfig> torchScript,
    GenerationConfig generation) {

  private static final String BUNDLED = "bundled:";

  /** {@code model.download}. */
  public enum Download {
    /** Only what is on this machine is used. */
    DENIED,
    /** What the hub's local cache lacks is fetched. */
    ALLOWED
  }

  /** {@code model.dtype}. */
  public enum Precision {
    /** float32 on a CPU, bfloat16 on a GPU. */
    AUTO,
    /** 32 bits. */
    FLOAT32,
    /** 16 bits with float32's range. */
    BFLOAT16
  }

  /** {@code model.device}. */
  public enum DeviceChoice {
    /** The GPU that Spark assigned, else the CPU. */
    AUTO,
    /** The CPU. */
    CPU,
    /** A GPU, or the run fails. */
    CUDA
  }

  /**
   * {@code model.torchscript}.
   *
   * @param tokenizer path of a tokenizer.json, or of a folder with the tokenizer's files
   * @param vocabSize rows of the output head
   * @param tokenCount ids below this have a token
   * @param maskId the mask token
   * @param padId what pads
   * @param contextLength most positions a row may have
   * @param prediction where a position is predicted, unless {@code decode.logit_shift} says it
   * @param userTurn a chat of one user turn, with {@link #PROMPT} where the turn's text goes; empty
   *     for Dream's template
   */
  public record TorchScriptConfig(
      String tokenizer,
      int vocabSize,
      int tokenCount,
      int maskId,
      int padId,
      int contextLength,
      Prediction prediction,
      Optional<String> userTurn) {

    /** What stands for the turn's text in {@code model.torchscript.user_turn}. */
    public static final String PROMPT = "{prompt}";

    /** {@code model.torchscript.shifted}. */
    public enum Prediction {
      /** At the position before it, as Dream's. */
      SHIFTED,
      /** At the position itself, as LLaDA's. */
      IN_PLACE
    }

    public TorchScriptConfig {
      require("vocab_size", vocabSize, vocabSize > 0, "it must be 1 or more");
      require(
          "token_count",
          tokenCount,
          tokenCount > 0 && tokenCount <= vocabSize,
          "it must lie in 1..%d, the vocab_size".formatted(vocabSize));
      require(
          "mask_id",
          maskId,
          maskId >= 0 && maskId < tokenCount,
          "it must be an id below %d, the token_count".formatted(tokenCount));
      require(
          "pad_id",
          padId,
          padId >= 0 && padId < vocabSize,
          "it must be an id below %d, the vocab_size".formatted(vocabSize));
      require("context_length", contextLength, contextLength > 0, "it must be 1 or more");
      if (userTurn.isPresent() && !userTurn.get().contains(PROMPT)) {
        throw LockstepException.user(
            "Cannot run with model.torchscript.user_turn=%s: it must hold %s, where the prompt's text goes."
                .formatted(userTurn.get(), PROMPT));
      }
    }

    /** The chat that asks for an answer to a text, if the model has a template of its own. */
    public Optional<String> chat(String text) {
      return userTurn.map(turn -> turn.replace(PROMPT, text));
    }

    private static void require(String key, int value, boolean holds, String rule) {
      if (!holds) {
        throw LockstepException.user(
            "Cannot run with model.torchscript.%s=%d: %s.".formatted(key, value, rule));
      }
    }

    static TorchScriptConfig read(Keys keys) {
      TorchScriptConfig config =
          new TorchScriptConfig(
              keys.text("tokenizer"),
              keys.integer("vocab_size"),
              keys.integer("token_count"),
              keys.integer("mask_id"),
              keys.integer("pad_id"),
              keys.integer("context_length"),
              keys.flag("shifted") ? Prediction.SHIFTED : Prediction.IN_PLACE,
              keys.optionalText("user_turn"));
      keys.rejectUnread();
      return config;
    }
  }

  public ModelConfig {
    if (path.isEmpty() && hfName.isEmpty()) {
      throw LockstepException.user(
          "Cannot run without a model: model.path and model.hf_name are both null. Set one of them.");
    }
    if (!hfName.orElse("a/b").matches("[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")) {
      throw LockstepException.user(
          "Cannot run with model.hf_name=%s: it must look like organisation/model."
              .formatted(hfName.get()));
    }
    if (torchScript.isPresent()) {
      requireExported("hf_name", hfName.isEmpty(), "null");
      requireExported("revision", revision.isEmpty(), "null");
      requireExported("download", download == Download.DENIED, "false");
      requireExported("adapter", adapter.isEmpty(), "null");
      requireExported("dtype", dtype == Precision.AUTO, "auto");
      if (generation.eosTokenIds().isEmpty()) {
        throw LockstepException.user(
            "Cannot run with model.generation.eos_token_ids=null: an exported model does not name its end tokens. Give their ids, such as model.generation.eos_token_ids=[151643].");
      }
    }
  }

  /** What is in the file of an exported model is settled. */
  private static void requireExported(String key, boolean holds, String only) {
    if (!holds) {
      throw LockstepException.user(
          "Cannot run an exported model with model.%s: weights and number format are those in the file. Set model.%s=%s."
              .formatted(key, key, only));
    }
  }

  static ModelConfig read(Keys keys) {
    ModelConfig model =
        new ModelConfig(
            keys.text("name"),
            keys.optionalText("path"),
            keys.optionalText("hf_name"),
            keys.optionalText("revision"),
            keys.flag("download") ? Download.ALLOWED : Download.DENIED,
            keys.optionalText("adapter"),
            keys.choice("dtype", Precision.class),
            keys.choice("device", DeviceChoice.class),
            keys.choice("prompt", PromptStyle.class),
            keys.optionalMap("torchscript").map(TorchScriptConfig::read),
            GenerationConfig.read(keys.map("generation")));
    // Only the lengths of decode refer to it.
    keys.optionalMap("layout");
    keys.rejectUnread();
    return model;
  }

  /** The name behind {@code bundled:}, when the model comes in the jar. */
  public Optional<String> bundledName() {
    return path.filter(p -> p.startsWith(BUNDLED)).map(p -> p.substring(BUNDLED.length()));
  }

  /** The checkpoint as people name it: path or hub name with revision. */
  public String location() {
    return path.orElseGet(() -> hfName.orElseThrow() + revision.map(r -> "@" + r).orElse(""));
  }

  @Override
  public String toString() {
    return "ModelConfig[" + location() + "]";
  }
}
