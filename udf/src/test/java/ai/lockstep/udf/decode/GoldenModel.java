package ai.lockstep.udf.decode;

import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.torch.DreamModel;
import ai.lockstep.udf.model.torch.TorchDevice;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives tests the golden checkpoint on the CPU in float32, loaded once a JVM. */
final class GoldenModel implements ParameterResolver {

  /** Ids with a token in the golden vocabulary, of manifest.json. */
  private static final int TOKEN_COUNT = 304;

  private record Loaded(MaskedDiffusionModel model)
      implements ExtensionContext.Store.CloseableResource {

    @Override
    public void close() {
      model.close();
    }
  }

  private static MaskedDiffusionModel load() {
    return DreamModel.load(
        CheckpointLocator.fromEnvironment()
            .locate(new CheckpointSource.Folder(Golden.file("model"))),
        TOKEN_COUNT,
        TorchDevice.cpu());
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == MaskedDiffusionModel.class;
  }

  @Override
  public MaskedDiffusionModel resolveParameter(
      ParameterContext parameter, ExtensionContext context) {
    return context
        .getRoot()
        .getStore(ExtensionContext.Namespace.GLOBAL)
        .getOrComputeIfAbsent(GoldenModel.class, key -> new Loaded(load()), Loaded.class)
        .model();
  }
}
