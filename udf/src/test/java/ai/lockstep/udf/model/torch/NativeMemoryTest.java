package ai.lockstep.udf.model.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.djl.engine.Engine;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointConfig;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.checkpoint.ExportedModel;
import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.RowPass;
import ai.lockstep.udf.model.Sampling;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Native memory that Java's garbage collector does not see. The tolerances are far below what any
 * leak would come to: a tensor of one target's logits a pass, the smallest thing there is, would be
 * 12 MiB after 10,000 passes, and one model not freed, 34 MiB, 680 MiB after 20.
 */
class NativeMemoryTest {

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final int TOKEN_COUNT = 304;

  private static final int WARM_UP_PASSES = 1_000;
  private static final int PASSES = 10_000;
  private static final long PASSES_TOLERANCE_MIB = 8;

  private static final int MODELS = 20;
  private static final long MODELS_TOLERANCE_MIB = 48;

  private static int threads;

  @TempDir Path folder;

  /** Threads that wait for each other on a busy machine would make seconds minutes. */
  @BeforeAll
  static void useOneThread() {
    Engine.getEngine("PyTorch");
    threads = JniUtils.getNumThreads();
    JniUtils.setNumThreads(1);
  }

  @AfterAll
  static void useAllThreads() {
    JniUtils.setNumThreads(threads);
  }

  @Test
  void staysTheSameOverTenThousandPasses() throws IOException {
    assumeThat(STATUS).as("resident memory is read from /proc, on Linux").exists();
    try (DreamModel model = golden()) {
      int slot = model.openSlot(12);
      int[] ids = IntStream.range(0, 12).map(i -> 7 * i % TOKEN_COUNT).toArray();
      Pass window = Pass.window(ids, 4, 8, new int[] {4, 6}, Alignment.SHIFTED);
      Pass full =
          Pass.full(ids, new int[] {3, 10}, Alignment.SHIFTED)
              .withSampling(new Sampling(0.5, 0.9, 20, true), new double[] {0.2, 0.8})
              .withGivenTokens(new int[] {1, 2})
              .withLogits();
      List<RowPass> rows = List.of(new RowPass(window, slot), new RowPass(full, RowPass.NO_SLOT));
      run(model, rows, WARM_UP_PASSES);
      touchTheHeap();

      long before = residentMib();
      run(model, rows, PASSES);

      assertThat(residentMib() - before).isLessThanOrEqualTo(PASSES_TOLERANCE_MIB);
    }
  }

  private static void run(MaskedDiffusionModel model, List<RowPass> rows, int passes) {
    for (int i = 0; i < passes; i++) {
      model.propose(rows);
    }
  }

  @Test
  void isGivenBackWhenModelsAreClosed() throws IOException {
    assumeThat(STATUS).as("resident memory is read from /proc, on Linux").exists();
    CheckpointConfig config =
        new CheckpointConfig(
            4096, 512, 1024, 2, 8, 4, 64, 10000, 1e-6, 4095, 0, List.of(0), 64, false);
    loadAndClose(config);
    touchTheHeap();

    long before = residentMib();
    for (int i = 0; i < MODELS; i++) {
      loadAndClose(config);
    }

    assertThat(residentMib() - before).isLessThanOrEqualTo(MODELS_TOLERANCE_MIB);
  }

  private static void loadAndClose(CheckpointConfig config) {
    try (DreamModel model = DreamModel.random(config, 4000, TorchDevice.cpu())) {
      model.openSlot(64);
      model.propose(
          List.of(
              new RowPass(
                  Pass.full(new int[] {1, 2, 3}, new int[] {1}, Alignment.SHIFTED),
                  RowPass.NO_SLOT)));
    }
  }

  @Test
  void closedModelsLeaveNoManagerBehind() {
    Path program = ExportedPrograms.ofIdsAndMask(folder);
    ModelSpec spec =
        new ModelSpec(
            "toy", ExportedPrograms.VOCABULARY, 18, 17, 16, List.of(16), 64, Alignment.IN_PLACE);
    int before = openManagers();

    DreamModel dream = golden();
    TorchScriptModel exported =
        TorchScriptModel.load(ExportedModel.locate(program), spec, TorchDevice.cpu());
    RowPass row =
        new RowPass(Pass.full(new int[] {1, 2}, new int[] {1}, Alignment.SHIFTED), RowPass.NO_SLOT);
    dream.propose(List.of(row));
    exported.propose(List.of(row));

    assertThat(openManagers()).isEqualTo(before + 3); // the exported model has a kernel as well
    dream.close();
    exported.close();
    assertThat(openManagers()).isEqualTo(before);
  }

  @Test
  void aModelThatIsRefusedLeavesNoManagerBehind() {
    Path file =
        ExportedPrograms.write(
            folder.resolve("flat.pt"), "ids: Tensor) -> Tensor", "    return ids\n");
    ModelSpec spec = new ModelSpec("toy", 20, 18, 17, 16, List.of(16), 64, Alignment.IN_PLACE);
    int before = openManagers();

    try (TorchScriptModel model =
        TorchScriptModel.load(ExportedModel.locate(file), spec, TorchDevice.cpu())) {
      throw new AssertionError("loaded " + model);
    } catch (LockstepException refused) {
      assertThat(openManagers()).isEqualTo(before);
    }
  }

  private static DreamModel golden() {
    Checkpoint checkpoint =
        CheckpointLocator.fromEnvironment()
            .locate(new CheckpointSource.Folder(Golden.file("model")));
    return DreamModel.load(checkpoint, TOKEN_COUNT, TorchDevice.cpu());
  }

  /** How many managers hang on the engine's own one, below which every native array lives. */
  private static int openManagers() {
    try (NDManager probe = Engine.getEngine("PyTorch").newBaseManager()) {
      Field resources = BaseNDManager.class.getDeclaredField("resources");
      resources.setAccessible(true);

      return ((Map<?, ?>) resources.get(probe.getParentManager())).size() - 1;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Makes the heap resident now, so that its filling up later does not look like a leak. */
  private static void touchTheHeap() {
    long bytes = 0;
    long end = 2 * Runtime.getRuntime().totalMemory();
    while (bytes < end) {
      byte[] piece = new byte[1 << 20];
      piece[piece.length - 1] = 1;
      bytes += piece.length;
    }
  }

  private static long residentMib() throws IOException {
    return Files.readAllLines(STATUS).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
        .findFirst()
        .orElseThrow();
  }
}
