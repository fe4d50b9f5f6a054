package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.config.ModelConfig;
import ai.lockstep.jobs.config.ModelConfig.TorchScriptConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.spark.ModelSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An exported program as executors load it; the decoder's part of a configuration is left out. */
final class ExportedSource implements ModelSource {

  /** What a loaded program depends on. */
  private record Identity(
      String location, TorchScriptConfig torchScript, List<Integer> eosTokenIds) {}

  private final Identity identity;
  private final RunConfig config;

  ExportedSource(RunConfig config, TorchScriptConfig torchScript) {
    ModelConfig model = config.model();
    this.identity = new Identity(model.location(), torchScript, model.generation().eosTokenIds());
    this.config = config;
  }

  @Override
  public String name() {
    return identity.location;
  }

  @Override
  public Loaded load(TorchDevice device) {
    return LocatedModel.Exported.of(config.model(), identity.torchScript, config.decode())
        .load(device);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ExportedSource that && identity.equals(that.identity);
  }

  @Override
  public int hashCode() {
    return identity.hashCode();
  }
}
