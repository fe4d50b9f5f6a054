package ai.lockstep.udf.model.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.checkpoint.ExportedModel;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.LogitsStatistics;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import ai.lockstep.udf.model.Sampling;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TorchScriptModelTest {

  private static final float ROUNDING = 1e-5f;
  private static final int MASK = 17;

  private static final ModelSpec SPEC =
      new ModelSpec(
          "toy", ExportedPrograms.VOCABULARY, 18, MASK, 16, List.of(16), 64, Alignment.IN_PLACE);

  @TempDir Path folder;

  private enum Program {
    OF_IDS {
      @Override
      Path write(Path folder) {
        return ExportedPrograms.ofIds(folder);
      }
    },
    OF_IDS_AND_MASK {
      @Override
      Path write(Path folder) {
        return ExportedPrograms.ofIdsAndMask(folder);
      }
    };

    abstract Path write(Path folder);
  }

  private static TorchScriptModel load(Path file) {
    return TorchScriptModel.load(ExportedModel.locate(file), SPEC, TorchDevice.cpu());
  }

  private static RowPass row(Pass pass) {
    return new RowPass(pass, RowPass.NO_SLOT);
  }

  @ParameterizedTest
  @EnumSource
  void answersRowsOfAnyLengthsAsTheDefinitionDoes(Program program) {
    Sampling sampling = new Sampling(0.7, 0.9, 5, true);
    List<Pass> passes =
        List.of(
            Pass.full(new int[] {3, MASK, 5, MASK}, new int[] {1, 3}, Alignment.IN_PLACE),
            Pass.full(new int[] {9}, new int[] {0}, Alignment.SHIFTED).withLogits().withSpread(),
            Pass.full(new int[] {1, 2, MASK, MASK, MASK, 4}, new int[] {2, 3, 4}, Alignment.SHIFTED)
                .withSampling(sampling, new double[] {0.1, 0.6, 0.99})
                .withGivenTokens(new int[] {7, 0, 19})
                .withSpread(),
            Pass.full(new int[] {3, MASK, 5, 6}, new int[0], Alignment.IN_PLACE));
    try (TorchScriptModel model = load(program.write(folder))) {
      assertThat(model.takesMask()).isEqualTo(program == Program.OF_IDS_AND_MASK);

      List<Proposals> answers = model.propose(passes.stream().map(pass -> row(pass)).toList());

      for (int i = 0; i < passes.size(); i++) {
        Pass pass = passes.get(i);
        float[][] all = ExportedPrograms.logits(pass.tokens());
        float[][] targets = new float[pass.targetCount()][];
        for (int t = 0; t < targets.length; t++) {
          targets[t] = all[pass.alignment().source(pass.target(t))];
        }
        assertSame(pass, answers.get(i), LogitsStatistics.of(SPEC).propose(pass, targets));
      }
    }
  }

  private static void assertSame(Pass pass, Proposals answer, Proposals expected) {
    assertThat(answer.size()).isEqualTo(expected.size());
    for (int t = 0; t < expected.size(); t++) {
      assertThat(answer.token(t)).isEqualTo(expected.token(t));
      assertThat(answer.p(t)).isCloseTo(expected.p(t), within(ROUNDING));
      if (pass.spreadWanted()) {
        assertThat(answer.margin(t)).isCloseTo(expected.margin(t), within(ROUNDING));
        assertThat(answer.negativeEntropy(t))
            .isCloseTo(expected.negativeEntropy(t), within(ROUNDING));
      }
      assertThat(answer.logProbability(t)).isCloseTo(expected.logProbability(t), within(ROUNDING));
      assertThat(answer.logits(t).isPresent()).isEqualTo(expected.logits(t).isPresent());
      if (expected.logits(t).isPresent()) {
        assertThat(answer.logits(t).get())
            .containsExactly(expected.logits(t).get(), offset(ROUNDING));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void guidesByTheUnconditionalRow(Program program) {
    int[] ids = {3, MASK, 5};
    int[] unconditional = {MASK, MASK, 5};
    Pass pass =
        Pass.full(ids, new int[] {1}, Alignment.IN_PLACE)
            .withLogits()
            .withGuidance(unconditional, 0.5);
    try (TorchScriptModel model = load(program.write(folder))) {
      float[] guided = model.propose(List.of(row(pass))).get(0).logits(0).orElseThrow();

      float[] own = ExportedPrograms.logits(ids)[1];
      float[] free = ExportedPrograms.logits(unconditional)[1];
      for (int v = 0; v < guided.length; v++) {
        assertThat(guided[v]).isCloseTo(free[v] + 1.5f * (own[v] - free[v]), within(ROUNDING));
      }
    }
  }

  @Test
  void readsThePredictionInPlaceOrOneBefore() {
    int[] ids = {3, 4, 5};
    try (TorchScriptModel model = load(ExportedPrograms.ofIds(folder))) {
      Pass inPlace = Pass.full(ids, new int[] {2}, Alignment.IN_PLACE).withLogits();
      Pass shifted = Pass.full(ids, new int[] {2}, Alignment.SHIFTED).withLogits();

      List<Proposals> answers = model.propose(List.of(row(inPlace), row(shifted)));

      assertThat(answers.get(0).logits(0).orElseThrow())
          .containsExactly(ExportedPrograms.logits(ids)[2], offset(ROUNDING));
      assertThat(answers.get(1).logits(0).orElseThrow())
          .containsExactly(ExportedPrograms.logits(ids)[1], offset(ROUNDING));
    }
  }

  @Nested
  class Refuses {

    private void assertRefused(Path file, String message, Object... arguments) {
      assertThatThrownBy(() -> load(file).close())
          .isInstanceOf(LockstepException.class)
          .hasMessage(message, arguments);
    }

    @Test
    void aFileThatIsMissing() {
      Path file = folder.resolve("none.pt");

      assertRefused(
          file,
          "Cannot load the exported model %s: there is no such file. Set model.path to a TorchScript file.",
          file);
      assertRefused(
          folder,
          "Cannot load the exported model %s: it is a folder. Set model.path to a TorchScript file.",
          folder);
    }

    @Test
    void aFileThatIsNotTorchScript() throws IOException {
      Path text = Files.writeString(folder.resolve("text.pt"), "weights");
      Path weights = folder.resolve("weights.pt");
      try (OutputStream out = Files.newOutputStream(weights);
          ZipOutputStream zip = new ZipOutputStream(out)) {
        zip.putNextEntry(new ZipEntry("archive/data.pkl"));
      }

      assertRefused(
          text,
          "Cannot load the exported model %s: it is not an archive, so it is not TorchScript. Export the model with torch.jit.trace or torch.jit.script and its method save.",
          text);
      assertRefused(
          weights,
          "Cannot load the exported model %s: it is an archive without a program, so it is not TorchScript. Export the model with torch.jit.trace or torch.jit.script and its method save.",
          weights);
    }

    @Test
    void aProgramThatPyTorchDoesNotKnow() {
      Path file =
          ExportedPrograms.write(
              folder.resolve("new.pt"),
              "ids: Tensor) -> Tensor",
              "    return torch.novelty(ids)\n");

      assertRefused(
          file,
          "Cannot load the exported model %s: PyTorch does not accept it (Unknown builtin op: aten::novelty.). Export it again with PyTorch 2.7.1 or older.",
          file);
    }

    @Test
    void aProgramThatFails() {
      Path file =
          ExportedPrograms.write(
              folder.resolve("fixed.pt"),
              "ids: Tensor) -> Tensor",
              "    return torch.view(ids, [1, 512])\n");

      assertRefused(
          file,
          "Cannot run the exported model %s: its forward fails on ids of shape [2, 3] (RuntimeError: shape '[1, 512]' is invalid for input of size 6). Export it with a forward that takes ids of any number of rows and positions, and at most a mask beside them.",
          file);
    }

    @Test
    void aProgramOfMoreThanIdsAndAMask() {
      Path file =
          ExportedPrograms.write(
              folder.resolve("three.pt"),
              "ids: Tensor, mask: Tensor, positions: Tensor) -> Tensor",
              "    return ids\n");

      assertRefused(
          file,
          "Cannot run the exported model %s: its forward fails on ids of shape [2, 3] (forward() is missing value for argument 'positions'. Declaration: forward(__torch__.Exported self, Tensor ids, Tensor mask, Tensor positions) -> Tensor). Export it with a forward that takes ids of any number of rows and positions, and at most a mask beside them.",
          file);
    }

    @Test
    void anOutputOfAnotherShape() {
      Path file =
          ExportedPrograms.write(
              folder.resolve("flat.pt"),
              "ids: Tensor) -> Tensor",
              "    return torch.zeros([6, 20], dtype=6)\n");

      assertRefused(
          file,
          "Cannot use the exported model %s: its forward maps ids of shape [2, 3] to a tensor of shape [6, 20]. Export it with a forward that returns logits of shape [rows, length, vocabulary].",
          file);
    }

    @Test
    void anOutputThatIsNoTensor() {
      Path file =
          ExportedPrograms.write(
              folder.resolve("pair.pt"),
              "ids: Tensor) -> Tuple[Tensor, Tensor]",
              "    return (ids, ids)\n");

      assertRefused(
          file,
          "Cannot use the exported model %s: its forward returns (Tensor, Tensor). Export it with a forward that returns the logits as one tensor.",
          file);
    }

    @Test
    void anotherVocabulary() {
      Path file =
          ExportedPrograms.write(
              folder.resolve("wide.pt"),
              "ids: Tensor) -> Tensor",
              "    return torch.zeros([2, 3, 32], dtype=6)\n");

      assertRefused(
          file,
          "Cannot use the exported model %s with model.torchscript.vocab_size=20: its logits are of 32 ids. Set model.torchscript.vocab_size=32, and the other ids to those of this model.",
          file);
    }

    @Test
    void aCache() {
      try (TorchScriptModel model = load(ExportedPrograms.ofIds(folder))) {
        assertThatThrownBy(() -> model.openSlot(8))
            .isInstanceOf(LockstepException.class)
            .hasMessage(
                "Cannot decode an exported model with a cache: its program keeps no keys and values. Set decode.cache=none.");
      }
    }

    @Test
    void aBlockCausalMask() {
      Pass pass =
          Pass.full(new int[] {1, 2}, new int[] {1}, Alignment.IN_PLACE)
              .withBlockCausalMask(new int[] {1, 2});
      try (TorchScriptModel model = load(ExportedPrograms.ofIds(folder))) {
        assertThatThrownBy(() -> model.propose(List.of(row(pass))))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("An exported model has no block-causal mask");
      }
    }
  }
}
