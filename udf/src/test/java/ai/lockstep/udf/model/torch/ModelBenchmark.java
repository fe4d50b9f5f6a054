package ai.lockstep.udf.model.torch;

import ai.lockstep.udf.checkpoint.CheckpointConfig;
import ai.lockstep.udf.checkpoint.CheckpointFiles;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.RowPass;
import ai.lockstep.udf.model.Sampling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Times the model against what the device could do at best. Weights are random and made on the
 * device, so no checkpoint is needed.
 *
 * <p>Usage: {@code ModelBenchmark [cpu|cuda] [dream-7b|dream-tiny] [by-rows] [section ...]}; {@code
 * by-rows} leaves a GPU's packed attention out, for comparison; sections are {@code passes}, {@code
 * blocks}, {@code sampling}, {@code parts} and {@code loading}, all by default.
 *
 * <p>A floor is the larger of two times: the operations over the rate of a large matrix product,
 * and the bytes that must be read (weights and keys and values once) over the rate of a large copy,
 * both measured first, by the same engine in the same run.
 */
public final class ModelBenchmark {

  private static final int BLOCK = 32;
  private static final int PROMPT = 768;
  private static final int TARGETS_OF_FULL_PASS = 128;
  private static final Random RANDOM = new Random(5);

  private final TorchDevice device;
  private final CheckpointConfig config;
  private final DreamModel model;
  private final double flopsPerSecond;
  private final double bytesPerSecond;

  private ModelBenchmark(
      TorchDevice device,
      CheckpointConfig config,
      DreamModel model,
      double flopsPerSecond,
      double bytesPerSecond) {
    this.device = device;
    this.config = config;
    this.model = model;
    this.flopsPerSecond = flopsPerSecond;
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Runs the sections named. */
  public static void main(String[] arguments) throws IOException {
    List<String> words = List.of(arguments);
    TorchDevice chosen = words.contains("cuda") ? TorchDevice.cuda(0) : TorchDevice.cpu();
    TorchDevice device = words.contains("by-rows") ? chosen.attendingByRows() : chosen;
    boolean large = words.contains("dream-7b");
    CheckpointConfig config = large ? dream7b() : dreamTiny();
    List<String> all = List.of("passes", "blocks", "sampling", "parts", "loading");
    List<String> named = all.stream().filter(words::contains).toList();
    List<String> sections = named.isEmpty() ? all : named;

    double flops;
    double bytes;
    try (Ceilings ceilings = new Ceilings(device)) {
      flops = ceilings.flopsPerSecond();
      bytes = ceilings.bytesPerSecond();
    }
    print(
        "device %s, %s, random weights, attention %s",
        device, large ? "Dream-7B" : "dream-tiny", device.attendsPacked() ? "packed" : "by rows");
    print("ceilings: matrix product %.2f TFLOP/s, copy %.1f GB/s", flops / 1e12, bytes / 1e9);
    if (sections.contains("loading")) {
      loading(device);
    }
    if (sections.contains("parts")) {
      parts(device, config);
    }
    try (DreamModel model = DreamModel.random(config, config.vocabSize(), device)) {
      ModelBenchmark benchmark = new ModelBenchmark(device, config, model, flops, bytes);
      if (sections.contains("passes")) {
        benchmark.fullPass(1, PROMPT);
        benchmark.fullPass(8, PROMPT);
        benchmark.fullPass(32, 512);
        benchmark.raggedPass();
      }
      if (sections.contains("blocks")) {
        for (int rows : new int[] {1, 8, 32, 64}) {
          benchmark.blockStep(rows, Sampling.GREEDY, "greedy");
        }
      }
      if (sections.contains("sampling")) {
        benchmark.blockStep(32, new Sampling(0, 1, 0, true), "suppressing");
        benchmark.blockStep(32, new Sampling(1, 1, 0, true), "drawing");
        benchmark.blockStep(32, new Sampling(0.2, 0.95, 0, true), "drawing from a nucleus");
      }
    }
  }

  /** The published sizes of Dream-v0-Instruct-7B. */
  public static CheckpointConfig dream7b() {
    return new CheckpointConfig(
        152064,
        3584,
        18944,
        28,
        28,
        4,
        128,
        1e6,
        1e-6,
        151666,
        151643,
        List.of(151643),
        131072,
        false);
  }

  private static CheckpointConfig dreamTiny() {
    return CheckpointLocator.fromEnvironment().locate(CheckpointSource.Bundled.DREAM_TINY).config();
  }

  private void fullPass(int rows, int length) {
    List<RowPass> passes = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      passes.add(new RowPass(full(length), RowPass.NO_SLOT));
    }
    long tokens = (long) rows * length;
    double flops = bodyFlops(tokens, length) + headFlops((long) rows * TARGETS_OF_FULL_PASS);
    report("full pass %d x %d".formatted(rows, length), passes, flops, weightBytes());
  }

  /** Rows of 100 to 768 positions, as different prompts are. */
  private void raggedPass() {
    List<RowPass> passes = new ArrayList<>();
    double flops = 0;
    for (int i = 0; i < 8; i++) {
      int length = 100 + i * (PROMPT - 100) / 7;
      passes.add(new RowPass(full(length), RowPass.NO_SLOT));
      flops += bodyFlops(length, length) + headFlops(Math.min(length, TARGETS_OF_FULL_PASS));
    }
    report("full pass 8 ragged, 100 to 768", passes, flops, weightBytes());
  }

  private void blockStep(int rows, Sampling sampling, String what) {
    int length = PROMPT + BLOCK;
    List<Integer> slots = new ArrayList<>();
    List<RowPass> fill = new ArrayList<>();
    List<RowPass> passes = new ArrayList<>();
    int[] targets = IntStream.range(PROMPT, length).toArray();
    for (int i = 0; i < rows; i++) {
      int slot = model.openSlot(length);
      slots.add(slot);
      fill.add(new RowPass(full(length), slot));
      double[] uniforms = RANDOM.doubles(sampling.draws() ? BLOCK : 0).toArray();
      Pass step =
          Pass.window(ids(length), PROMPT, length, targets, Alignment.SHIFTED)
              .withSampling(sampling, uniforms);
      passes.add(new RowPass(step, slot));
    }
    for (RowPass row : fill) {
      model.propose(List.of(row));
    }
    double flops = bodyFlops((long) rows * BLOCK, length) + headFlops((long) rows * BLOCK);
    double keysAndValues =
        2.0 * rows * length * config.kvHeads() * config.headSize() * config.layers() * width();
    report(
        "block step %d x %d over %d, %s".formatted(rows, BLOCK, PROMPT, what),
        passes,
        flops,
        weightBytes() + keysAndValues);
    slots.forEach(model::closeSlot);
  }

  private static void parts(TorchDevice device, CheckpointConfig config) {
    try (Ceilings ceilings = new Ceilings(device)) {
      for (int tokens : new int[] {BLOCK, 8 * BLOCK, 32 * BLOCK, 64 * BLOCK, 8 * PROMPT}) {
        print(
            "only the matrix products of the layers, %d tokens: %.3f ms",
            tokens, 1e3 * ceilings.secondsOfLayers(config, tokens));
      }
      int[][] shapes = {
        {8, PROMPT, PROMPT}, {1, BLOCK, PROMPT + BLOCK}, {32, BLOCK, PROMPT + BLOCK}
      };
      for (int[] shape : shapes) {
        ceilings
            .secondsOfAttention(config, shape[0], shape[1], shape[2])
            .forEach(
                (way, seconds) ->
                    print(
                        "only the attention of the layers, %d x %d over %d, %s: %.3f ms",
                        shape[0], shape[1], shape[2], way, 1e3 * seconds));
      }
    }
  }

  /** Two layers of Dream-7B's sizes with a small vocabulary, 1.3 GB in bfloat16. */
  private static void loading(TorchDevice device) throws IOException {
    CheckpointConfig config =
        new CheckpointConfig(
            32000, 3584, 18944, 2, 28, 4, 128, 1e6, 1e-6, 1, 0, List.of(0), 2048, false);
    Path folder = Files.createTempDirectory("lockstep-benchmark");
    try {
      CheckpointFiles.writeRandom(folder, config);
      double bytes = Files.size(folder.resolve("model.safetensors"));
      double seconds =
          Timing.median(
              3,
              () -> {
                var source = new CheckpointSource.Folder(folder);
                var checkpoint = CheckpointLocator.fromEnvironment().locate(source);
                DreamModel.load(checkpoint, config.vocabSize(), device).close();
              });
      print(
          "loading %.2f GB of bfloat16 from the page cache: %.2f s, %.2f GB/s",
          bytes / 1e9, seconds, bytes / 1e9 / seconds);
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private void report(String name, List<RowPass> passes, double flops, double bytes) {
    double seconds = Timing.median(isGpu() ? 15 : 5, () -> model.propose(passes));
    double floor = Math.max(flops / flopsPerSecond, bytes / bytesPerSecond);
    print(
        "%-52s %9.3f ms, floor %9.3f ms (%s), %5.2f x, %8.2f TFLOP/s",
        name,
        1e3 * seconds,
        1e3 * floor,
        flops / flopsPerSecond > bytes / bytesPerSecond ? "operations" : "bytes",
        seconds / floor,
        flops / seconds / 1e12);
  }

  private Pass full(int length) {
    int targets = Math.min(length, TARGETS_OF_FULL_PASS);

    return Pass.full(
        ids(length), IntStream.range(length - targets, length).toArray(), Alignment.SHIFTED);
  }

  private int[] ids(int length) {
    return RANDOM.ints(length, 0, config.vocabSize()).toArray();
  }

  private double bodyFlops(long tokens, int keys) {
    double attention = 4.0 * keys * config.heads() * config.headSize() * config.layers();

    return tokens * (2 * layerParameters() + attention);
  }

  private double headFlops(long targets) {
    return 2.0 * targets * config.vocabSize() * config.hiddenSize();
  }

  private double layerParameters() {
    double hidden = config.hiddenSize();
    double attention = (2.0 * config.heads() + 2.0 * config.kvHeads()) * config.headSize() * hidden;

    return config.layers() * (attention + 3 * hidden * config.intermediateSize());
  }

  private double weightBytes() {
    return (layerParameters() + (double) config.vocabSize() * config.hiddenSize()) * width();
  }

  private int width() {
    return isGpu() ? 2 : 4;
  }

  private boolean isGpu() {
    return device.device().isGpu();
  }

  private static void print(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
