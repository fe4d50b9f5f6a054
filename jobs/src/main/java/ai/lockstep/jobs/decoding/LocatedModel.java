package ai.lockstep.jobs.decoding;

import ai.lockstep.datasets.download.CacheFolder;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.DecodeConfig;
import ai.lockstep.jobs.config.ModelConfig;
import ai.lockstep.jobs.config.ModelConfig.TorchScriptConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.checkpoint.ExportedModel;
import ai.lockstep.udf.checkpoint.HubSettings;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.torch.DreamModel;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.model.torch.TorchScriptModel;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

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

  /** Opens the tokenizer that belongs to the model. */
  DreamTokenizer openTokenizer();

  /** Loads the model. */
  MaskedDiffusionModel load(DreamTokenizer tokenizer, TorchDevice device);

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

    return new DreamCheckpoint(DreamCheckpoint.locate(model));
  }

  /**
   * Dream's architecture in safetensors.
   *
   * @param checkpoint the located checkpoint
   */
  record DreamCheckpoint(Checkpoint checkpoint) implements LocatedModel {

    private static Checkpoint locate(ModelConfig model) {
      HubSettings hub = HubSettings.fromEnvironment();
      boolean offline = hub.offline() || model.download() == ModelConfig.Download.DENIED;
      CheckpointLocator locator =
          new CheckpointLocator(
              new HubSettings(hub.cache(), hub.endpoint(), hub.token(), offline),
              CacheFolder.current());
      CheckpointSource source = source(model);
      return model
          .adapter()
          .map(adapter -> locator.locate(source, Path.of(adapter)))
          .orElseGet(() -> locator.locate(source));
    }

    private static CheckpointSource source(ModelConfig model) {
      Optional<String> bundled = model.bundledName();
      if (bundled.isPresent()) {
        return new CheckpointSource.Bundled(bundled.get());
      }
      if (model.path().isPresent()) {
        return new CheckpointSource.Folder(Path.of(model.path().get()));
      }
      return new CheckpointSource.Hub(
          model.hfName().orElseThrow(),
          model.revision().orElse(CheckpointSource.Hub.DEFAULT_REVISION));
    }

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
    public DreamTokenizer openTokenizer() {
      return DreamTokenizer.open(checkpoint.folder());
    }

    @Override
    public MaskedDiffusionModel load(DreamTokenizer tokenizer, TorchDevice device) {
      return DreamModel.load(checkpoint, tokenizer.tokenCount(), device);
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

    private static Exported of(ModelConfig model, TorchScriptConfig exported, DecodeConfig decode) {
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

    @Override
    public DreamTokenizer openTokenizer() {
      return DreamTokenizer.open(tokenizer);
    }

    @Override
    public MaskedDiffusionModel load(DreamTokenizer opened, TorchDevice device) {
      return TorchScriptModel.load(model, spec, device);
    }
  }
}
