package ai.lockstep.jobs.decoding;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.DecodeConfig;
import ai.lockstep.jobs.config.ModelConfig;
import ai.lockstep.jobs.config.ModelConfig.TorchScriptConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.ExportedModel;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.model.torch.TorchScriptModel;
import ai.lockstep.udf.spark.ModelSource;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A model that is on this machine and not loaded yet: a {@link DreamCheckpoint}, or an {@link
 * Exported} program.
 */
public sealed interface LocatedModel {

  /** For people: the hub name, the bundled name, or the folder or file. */
  String name();

  /** What distinguishes one content from another. */
  String revision();

  /** The folder or file. */
  Path path();

  /** The tokenizer's file, or the folder that holds it. */
  Path tokenizer();

  /**
   * Finds the model that a configuration names; downloads what is missing only with {@code
   * model.download=true}.
   *
   * @throws LockstepException when it is not there, or cannot be decoded as configured
   */
  static LocatedModel of(RunConfig config) {
    ModelConfig model = config.model();
    if (model.torchScript().isPresent()) {
      return Exported.of(model, model.torchScript().get(), config.decode());
    }

    return new DreamCheckpoint(ConfiguredModel.checkpoint(model).locate());
  }

  /**
   * Dream's architecture in safetensors.
   *
   * @param checkpoint the located checkpoint
   */
  record DreamCheckpoint(Checkpoint checkpoint) implements LocatedModel {

    @Override
    public String name() {
      return checkpoint.name();
    }

    @Override
    public String revision() {
      return checkpoint.revision();
    }

    @Override
    public Path path() {
      return checkpoint.folder();
    }

    @Override
    public Path tokenizer() {
      return checkpoint.folder();
    }
  }

  /**
   * A program from ids to logits.
   *
   * @param model the located file
   * @param spec what the configuration says of it
   * @param tokenizer where its tokenizer lies
   */
  record Exported(ExportedModel model, ModelSpec spec, Path tokenizer) implements LocatedModel {

    static Exported of(ModelConfig model, TorchScriptConfig exported, DecodeConfig decode) {
      requireFullPasses(decode);
      Path tokenizer = Path.of(exported.tokenizer());
      if (!Files.exists(tokenizer)) {
        throw LockstepException.user(
            "Cannot run with model.torchscript.tokenizer=%s: there is no such file or folder. Name the tokenizer.json of the exported model."
                .formatted(tokenizer));
      }
      ExportedModel located = ExportedModel.locate(Path.of(model.location()));
      return new Exported(located, spec(model, exported), tokenizer);
    }

    private static void requireFullPasses(DecodeConfig decode) {
      if (decode instanceof DecodeConfig.D2f) {
        throw LockstepException.user(
            "Cannot decode an exported model with decode=d2f: its program has no block-causal mask. Try decode=lockstep or decode=llada.");
      }
      String cache = decode.common().cache();
      if (!cache.equals("none")) {
        throw LockstepException.user(
            "Cannot decode an exported model with decode.cache=%s: its program keeps no keys and values. Set decode.cache=none."
                .formatted(cache));
      }
    }

    private static ModelSpec spec(ModelConfig model, TorchScriptConfig exported) {
      List<Integer> eosIds = model.generation().eosTokenIds();
      return new ModelSpec(
          model.name(),
          exported.vocabSize(),
          exported.tokenCount(),
          exported.maskId(),
          exported.padId(),
          eosIds,
          exported.contextLength(),
          switch (exported.prediction()) {
            case SHIFTED -> Alignment.SHIFTED;
            case IN_PLACE -> Alignment.IN_PLACE;
          });
    }

    @Override
    public String name() {
      return spec.name();
    }

    @Override
    public String revision() {
      return model.revision();
    }

    @Override
    public Path path() {
      return model.file();
    }

    /** Loads the program; the caller closes both. */
    ModelSource.Loaded load(TorchDevice device) {
      return new ModelSource.Loaded(
          DreamTokenizer.open(tokenizer), TorchScriptModel.load(model, spec, device));
    }
  }
}
