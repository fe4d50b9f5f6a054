package ai.lockstep.udf.model.torch;

import ai.djl.pytorch.jni.IValue;
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
 * <p>Usage: {@code ModelBenchmark [cpu|cuda] [dream-7b|dream-tiny] [section ...]}; sections are
 * {@code passes}, {@code blocks}, {@code sampling}, {@code breakdown} (where a pass's time goes),
 * {@code parts} (products and attention alone) and {@code loading}, all by default.
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

  /** The methods of {@code KernelParts.torchscript}. */
  private static final List<String> PARTS =
      List.of("products", "norms", "rotary", "cache", "attention", "activation");

  private final TorchDevice device;
  private final CheckpointConfig config;
  private final DreamModel model;
  private final TimedKernel kernel;
  private final double flopsPerSecond;
  private final double bytesPerSecond;

  private ModelBenchmark(
      TorchDevice device,
      CheckpointConfig config,
      DreamModel model,
      TimedKernel kernel,
      double flopsPerSecond,
      double bytesPerSecond) {
    this.device = device;
    this.config = config;
    this.model = model;
    this.kernel = kernel;
    this.flopsPerSecond = flopsPerSecond;
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Runs the sections named. */
  public static void main(String[] arguments) throws IOException {
    List<String> words = List.of(arguments);
    TorchDevice device = words.contains("cuda") ? TorchDevice.cuda(0) : TorchDevice.cpu();
    boolean large = words.contains("dream-7b");
    CheckpointConfig config = large ? dream7b() : dreamTiny();
    List<String> all = List.of("passes", "blocks", "sampling", "breakdown", "parts", "loading");
    List<String> named = all.stream().filter(words::contains).toList();
    List<String> sections = named.isEmpty() ? all : named;

    double flops;
    double bytes;
    try (Ceilings ceilings = new Ceilings(device)) {
      flops = ceilings.flopsPerSecond();
      bytes = ceilings.bytesPerSecond();
    }
    print("device %s, %s, random weights", device, large ? "Dream-7B" : "dream-tiny");
    print("ceilings: matrix product %.2f TFLOP/s, copy %.1f GB/s", flops / 1e12, bytes / 1e9);
    if (sections.contains("loading")) {
      loading(device);
    }
    if (sections.contains("parts")) {
      parts(device, config);
    }
    TimedKernel kernel = new TimedKernel(device);
    try (DreamModel model = DreamModel.random(config, config.vocabSize(), device, kernel)) {
      ModelBenchmark benchmark = new ModelBenchmark(device, config, model, kernel, flops, bytes);
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
      if (sections.contains("breakdown")) {
        benchmark.breakdown(1, BLOCK, true);
        benchmark.breakdown(32, BLOCK, true);
        benchmark.breakdown(8, PROMPT, false);
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
    long tokens = (long) rows * length;
    double flops = bodyFlops(tokens, length) + headFlops((long) rows * TARGETS_OF_FULL_PASS);
    report("full pass %d x %d".formatted(rows, length), fulls(rows, length), flops, weightBytes());
  }

  private List<RowPass> fulls(int rows, int length) {
    List<RowPass> passes = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      passes.add(new RowPass(full(length), RowPass.NO_SLOT));
    }

    return passes;
  }

  private void raggedPass() {
    double flops = 0;
    List<RowPass> passes = ragged();
    for (RowPass row : passes) {
      int length = row.pass().length();
      flops += bodyFlops(length, length) + headFlops(Math.min(length, TARGETS_OF_FULL_PASS));
    }
    report("full pass 8 ragged, 100 to 768", passes, flops, weightBytes());
  }

  /** Rows of 100 to 768 positions, as different prompts are. */
  private List<RowPass> ragged() {
    List<RowPass> passes = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      passes.add(new RowPass(full(100 + i * (PROMPT - 100) / 7), RowPass.NO_SLOT));
    }

    return passes;
  }

  private void blockStep(int rows, Sampling sampling, String what) {
    List<RowPass> passes = filledBlocks(rows, sampling);
    int length = PROMPT + BLOCK;
    double flops = bodyFlops((long) rows * BLOCK, length) + headFlops((long) rows * BLOCK);
    double keysAndValues =
        2.0 * rows * length * config.kvHeads() * config.headSize() * config.layers() * width();
    report(
        "block step %d x %d over %d, %s".formatted(rows, BLOCK, PROMPT, what),
        passes,
        flops,
        weightBytes() + keysAndValues);
    passes.forEach(row -> model.closeSlot(row.slot()));
  }

  /** Windows over slots that are filled. */
  private List<RowPass> filledBlocks(int rows, Sampling sampling) {
    int length = PROMPT + BLOCK;
    List<RowPass> passes = new ArrayList<>();
    int[] targets = IntStream.range(PROMPT, length).toArray();
    for (int i = 0; i < rows; i++) {
      int slot = model.openSlot(length);
      model.propose(List.of(new RowPass(full(length), slot)));
      double[] uniforms = RANDOM.doubles(sampling.draws() ? BLOCK : 0).toArray();
      Pass step =
          Pass.window(ids(length), PROMPT, length, targets, Alignment.SHIFTED)
              .withSampling(sampling, uniforms);
      passes.add(new RowPass(step, slot));
    }

    return passes;
  }

  /**
   * Prints where the time of one shape goes: the whole call, the transformer's body, and the body's
   * parts alone, each until the host is free and until the device is. What the host needs for the
   * body bounds it from below as well, whatever the device does.
   */
  private void breakdown(int rows, int query, boolean cached) {
    int keys = cached ? query + PROMPT : query;
    List<RowPass> passes = cached ? filledBlocks(rows, Sampling.GREEDY) : fulls(rows, query);
    print("breakdown %d x %d over %d", rows, query, keys);
    double whole = Timing.median(9, () -> model.propose(passes));
    kernel.waitAfterRead(true);
    List<TimedKernel.Times> reads = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      model.propose(passes);
      reads.add(kernel.lastRead());
    }
    kernel.waitAfterRead(false);
    TimedKernel.Times body = TimedKernel.median(reads);
    kernel.call("part_prepare", IValue.from(rows * query));
    double sum = 0;
    for (String part : PARTS) {
      if (cached || !part.equals("cache")) {
        TimedKernel.Times times =
            kernel.median("part_" + part, () -> partArguments(part, rows, query, keys, cached));
        sum += times.done();
        print(part, times);
      }
    }
    print("body", body);
    print("  %-24s %32.3f ms", "body beyond its parts", 1e3 * (body.done() - sum));
    print("  %-24s %32.3f ms", "head, answer and uploads", 1e3 * (whole - body.done()));
    print("  %-24s %32.3f ms", "whole", 1e3 * whole);
    if (cached) {
      passes.forEach(row -> model.closeSlot(row.slot()));
    }
  }

  private static void print(String part, TimedKernel.Times times) {
    print("  %-24s host %9.3f ms, done %9.3f ms", part, 1e3 * times.host(), 1e3 * times.done());
  }

  private IValue[] partArguments(String part, int rows, int query, int keys, boolean cached) {
    IValue layers = IValue.from(config.layers());
    if (!part.equals("attention")) {
      return new IValue[] {layers};
    }
    long spacing = cached ? keys + 1 : query;
    long[] layout = new long[4 * rows];
    for (int r = 0; r < rows; r++) {
      layout[4 * r] = (long) r * query;
      layout[4 * r + 1] = query;
      layout[4 * r + 2] = r * spacing;
      layout[4 * r + 3] = keys;
    }

    return new IValue[] {
      layers, IValue.listFrom(layout), IValue.from(spacing), IValue.from(cached)
    };
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

  /** A few layers of Dream-7B's sizes with a small vocabulary: 2.3 GB for a GPU. */
  private static void loading(TorchDevice device) throws IOException {
    boolean isGpu = device.device().isGpu();
    CheckpointConfig config =
        new CheckpointConfig(
            32000,
            3584,
            18944,
            isGpu ? 4 : 1,
            28,
            4,
            128,
            1e6,
            1e-6,
            1,
            0,
            List.of(0),
            2048,
            false);
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
