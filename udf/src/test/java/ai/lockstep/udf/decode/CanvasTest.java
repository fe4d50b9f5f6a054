package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.toy.ToyModel;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CanvasTest {

  private static final int MASK = ToyModel.MASK;

  private final ToyModel model = new ToyModel();

  /** A prompt of {@code 3 MASK}, then a block of three. */
  private Canvas canvas() {
    DecodeRequest request = new DecodeRequest("row", new int[] {3, MASK}, 0, "row", 0);

    return Canvas.withRegion(request, model.spec(), model.spec().alignment(), 3);
  }

  private static int[] window(Pass pass) {
    return IntStream.range(0, pass.windowLength()).map(pass::windowPosition).toArray();
  }

  @Test
  void aMaskTokenInThePromptIsContext() {
    Canvas canvas = canvas();

    assertThat(canvas.masks(canvas.blocks())).containsExactly(2, 3, 4);
    assertThat(canvas.isMasked(1)).isFalse();
  }

  @Test
  void writingClosesAPositionAndAMaskOpensItAgain() {
    Canvas canvas = canvas();
    canvas.write(3, 5);
    assertThat(canvas.masks(canvas.blocks())).containsExactly(2, 4);

    canvas.write(3, MASK);
    assertThat(canvas.masks(canvas.blocks())).containsExactly(2, 3, 4);
  }

  @Test
  void aWindowHoldsWhatChangedSinceItWasRead() {
    Canvas canvas = canvas();
    canvas.read(canvas.fullPass(new int[] {2}));
    assertThat(window(canvas.windowPass(2, 3, new int[] {2}))).containsExactly(2);

    canvas.write(4, 6);
    Pass pass = canvas.windowPass(2, 3, new int[] {2});
    assertThat(window(pass)).containsExactly(2, 4);

    canvas.read(pass);
    assertThat(window(canvas.windowPass(2, 3, new int[] {2}))).containsExactly(2);
  }

  @Test
  void writingWhatStandsThereChangesNothing() {
    Canvas canvas = canvas();
    canvas.read(canvas.fullPass(new int[] {2}));
    canvas.write(0, 3);

    assertThat(window(canvas.windowPass(2, 3, new int[] {2}))).containsExactly(2);
  }

  @Test
  void guidanceHidesThePrompt() {
    Canvas canvas = canvas();
    canvas.write(2, 7);

    assertThat(canvas.withoutPrompt()).containsExactly(MASK, MASK, 7, MASK, MASK);
  }

  @Test
  void aBlockCanGrow() {
    Canvas canvas = canvas();
    Block added = canvas.extendLastBlock(2);

    assertThat(added).isEqualTo(new Block("A", 5, 2));
    assertThat(canvas.blocks()).containsExactly(new Block("A", 2, 5));
    assertThat(canvas.length()).isEqualTo(7);
  }
}
