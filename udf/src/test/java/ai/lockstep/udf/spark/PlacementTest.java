package ai.lockstep.udf.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.RowPass;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlacementTest {

  private static final Optional<String> NOWHERE = Optional.empty();

  @Test
  void theNumberFormatDecidesWhatIsComputed() {
    float exact = confidence(NumberFormat.FLOAT32);
    float rounded = confidence(NumberFormat.BFLOAT16);

    assertThat(confidence(NumberFormat.AUTO)).isEqualTo(exact);
    assertThat(rounded).isNotEqualTo(exact).isCloseTo(exact, offset(0.05f));
  }

  private static float confidence(NumberFormat dtype) {
    Placement placement = new Placement(DeviceChoice.CPU, dtype);
    ModelSource source = CheckpointModel.at(Golden.file("model").toString());
    ModelSource.Loaded loaded = source.load(placement.torch(NOWHERE));
    loaded.tokenizer().close();
    try (MaskedDiffusionModel model = loaded.model()) {
      int[] ids = IntStream.range(0, 12).toArray();
      Pass pass = Pass.full(ids, new int[] {11}, Alignment.SHIFTED);
      return model.propose(List.of(new RowPass(pass, RowPass.NO_SLOT))).get(0).p(0);
    }
  }

  @Test
  void aGpuMustHaveBeenAssigned() {
    assertThat(Placement.on(DeviceChoice.CUDA).torch(Optional.of("3"))).hasToString("gpu:3");
    assertThat(Placement.on(DeviceChoice.AUTO).torch(NOWHERE)).hasToString("cpu");
    assertThatThrownBy(() -> Placement.on(DeviceChoice.CUDA).torch(NOWHERE))
        .isInstanceOf(LockstepException.class)
        .hasMessageStartingWith("Cannot run with model.device=cuda: Spark gave this task no GPU.");
  }
}
