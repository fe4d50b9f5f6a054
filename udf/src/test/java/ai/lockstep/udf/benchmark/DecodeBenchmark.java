package ai.lockstep.udf.benchmark;

import ai.lockstep.datasets.Benchmark;
import ai.lockstep.datasets.Benchmarks;
import ai.lockstep.datasets.PromptBuilder;
import ai.lockstep.datasets.PromptStyle;
import ai.lockstep.datasets.Suite;
import ai.lockstep.datasets.Task;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.decode.CacheMode;
import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.decode.Confidence;
import ai.lockstep.udf.decode.D2fDecoder;
import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.Decoder;
import ai.lockstep.udf.decode.DreamDecoder;
import ai.lockstep.udf.decode.FastDllmDecoder;
import ai.lockstep.udf.decode.LladaDecoder;
import ai.lockstep.udf.decode.LockstepDecoder;
import ai.lockstep.udf.decode.LockstepMode;
import ai.lockstep.udf.decode.LockstepSettings;
import ai.lockstep.udf.decode.Markers;
import ai.lockstep.udf.decode.ProposalSettings;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Sampling;
import ai.lockstep.udf.model.torch.DreamModel;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.replica.Replica;
import ai.lockstep.udf.replica.ReplicaLoad;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * How fast decoding is, and how much a cache changes. Build with {@code submit/lockstep generate
 * limit=1 output.dir=/tmp/out} and {@code mvn test-compile}, then
 *
 * <pre>
 * java -cp "udf/target/test-classes:udf/target/classes:datasets/target/classes:submit/target/spark-home/jars/*:submit/target/native/*" \
 *   ai.lockstep.udf.benchmark.DecodeBenchmark model=bundled what=share,refill,decoders,agreement
 * </pre>
 *
 * Words, in any order:
 *
 * <ul>
 *   <li>{@code model=bundled} (dream-tiny), {@code model=tiny|small|dream_7b} (random weights of
 *       that size, written once to {@code folder=/tmp/lockstep-random}), or {@code model=FOLDER};
 *   <li>{@code device=cpu}, or a CUDA index: {@code device=0};
 *   <li>{@code rows=32} in a batch, {@code prompt=128} and {@code tokens=128} positions a row;
 *   <li>{@code what=}: {@code share}, Java's share of a pass, 1 - model time / wall; {@code
 *       refill}, rows a second when a finished row's place is taken at once, against batches that
 *       wait for their longest row: those that keep finished rows until then, as Dream's and
 *       Fast-dLLM's own loops do, and those that finished rows leave. Answer lengths are {@code
 *       tokens/5} to {@code tokens}, decoded as Dream does or, with {@code refilled=fast_dllm}, in
 *       cached blocks; {@code decoders}, row passes a second of every decoder and cache, or of
 *       those whose names contain a match of {@code only=dual}; {@code agreement}, the share of
 *       tokens that lockstep decodes the same with a cache as without, end tokens left out
 *       (meaningful with trained weights only; {@code tasks=24}).
 * </ul>
 */
public final class DecodeBenchmark {

  private static final int WARM_UP_TOKENS = 16;

  /** Length of a block of the decoders that go block by block. */
  private static final int BLOCK = 32;

  /** Rounds of both ways in turn, so that a busy machine slows both. */
  private static final int REFILL_ROUNDS = 3;

  private final MaskedDiffusionModel model;
  private final int rows;
  private final int promptLength;
  private final int tokens;

  private DecodeBenchmark(MaskedDiffusionModel model, int rows, int promptLength, int tokens) {
    this.model = model;
    this.rows = rows;
    this.promptLength = promptLength;
    this.tokens = tokens;
  }

  /** See the class. */
  public static void main(String[] words) throws Exception {
    Map<String, String> settings = new LinkedHashMap<>();
    for (String word : words) {
      String[] parts = word.split("=", 2);
      settings.put(parts[0], parts[1]);
    }
    String device = settings.getOrDefault("device", "cpu");
    TorchDevice torch =
        device.equals("cpu") ? TorchDevice.cpu() : TorchDevice.cuda(Integer.parseInt(device));
    Loaded loaded = load(settings, torch);
    try (MaskedDiffusionModel model = loaded.model) {
      DecodeBenchmark benchmark =
          new DecodeBenchmark(
              model,
              number(settings, "rows", 32),
              number(settings, "prompt", 128),
              number(settings, "tokens", 128));
      System.out.printf(
          "model=%s device=%s cores=%d rows=%d prompt=%d tokens=%d%n",
          model.spec().name(),
          torch,
          Runtime.getRuntime().availableProcessors(),
          benchmark.rows,
          benchmark.promptLength,
          benchmark.tokens);
      benchmark.run(benchmark.dream(WARM_UP_TOKENS), benchmark.requests(benchmark.rows));
      for (String what : settings.getOrDefault("what", "share,refill,decoders").split(",")) {
        switch (what) {
          case "share" -> benchmark.share();
          case "refill" ->
              benchmark.refill(
                  settings.getOrDefault("refilled", "dream").equals("dream")
                      ? benchmark::dream
                      : length -> benchmark.fastDllm(wholeBlocks(length), CacheMode.DUAL));
          case "decoders" -> benchmark.decoders(Pattern.compile(settings.getOrDefault("only", "")));
          case "agreement" -> benchmark.agreement(loaded.folder, number(settings, "tasks", 24));
          default -> throw new IllegalArgumentException("what=" + what);
        }
      }
    }
  }

  private static int number(Map<String, String> settings, String key, int otherwise) {
    return Integer.parseInt(settings.getOrDefault(key, Integer.toString(otherwise)));
  }

  private record Loaded(MaskedDiffusionModel model, Path folder) {}

  private static Loaded load(Map<String, String> settings, TorchDevice device) throws IOException {
    String name = settings.getOrDefault("model", "bundled");
    for (RandomCheckpoint.Size size : RandomCheckpoint.Size.values()) {
      if (size.name().toLowerCase(Locale.ROOT).equals(name)) {
        Path folder = Path.of(settings.getOrDefault("folder", "/tmp/lockstep-random"), name);
        return load(
            new CheckpointSource.Folder(RandomCheckpoint.write(folder, size)),
            size.tokenCount(),
            device);
      }
    }
    CheckpointSource source =
        name.equals("bundled")
            ? CheckpointSource.Bundled.DREAM_TINY
            : new CheckpointSource.Folder(Path.of(name));
    Checkpoint checkpoint = CheckpointLocator.fromEnvironment().locate(source);
    try (DreamTokenizer tokenizer = DreamTokenizer.open(checkpoint.folder())) {
      return load(source, tokenizer.tokenCount(), device);
    }
  }

  private static Loaded load(CheckpointSource source, int tokenCount, TorchDevice device) {
    Checkpoint checkpoint = CheckpointLocator.fromEnvironment().locate(source);

    return new Loaded(DreamModel.load(checkpoint, tokenCount, device), checkpoint.folder());
  }

  /** What a workload took. */
  private record Measured(
      ReplicaLoad load, long positionsRead, double seconds, List<Completion> completions) {

    double rowPassesPerSecond() {
      return load.rowPasses() / seconds;
    }

    double tokensPerSecond() {
      return completions.stream().mapToInt(c -> c.commits().size()).sum() / seconds;
    }

    double positionsPerPass() {
      return (double) positionsRead / load.rowPasses();
    }

    double javaShare() {
      return 1 - load.busyNanos() / 1e9 / seconds;
    }
  }

  private List<DecodeRequest> requests(int count) {
    Random random = new Random(3);

    return IntStream.range(0, count)
        .mapToObj(
            row ->
                new DecodeRequest(
                    "row " + row,
                    random.ints(promptLength, 0, model.spec().maskId()).toArray(),
                    0,
                    "row " + row,
                    0))
        .toList();
  }

  private Measured run(Decoder decoder, List<DecodeRequest> requests) throws Exception {
    return run(IntStream.range(0, requests.size()).mapToObj(i -> decoder).toList(), requests, rows);
  }

  /**
   * @param wave rows handed in at a time; the next wave waits for the slowest of the one before
   */
  private Measured run(List<Decoder> decoders, List<DecodeRequest> requests, int wave)
      throws Exception {
    List<Completion> completions = new ArrayList<>();
    BorrowedModel lent = new BorrowedModel(model);
    long started = System.nanoTime();
    try (Replica replica = new Replica("benchmark", lent, rows)) {
      for (int from = 0; from < requests.size(); from += wave) {
        List<CompletableFuture<Completion>> results = new ArrayList<>();
        for (int i = from; i < Math.min(from + wave, requests.size()); i++) {
          results.add(replica.submit(requests.get(i), decoders.get(i)));
        }
        for (CompletableFuture<Completion> result : results) {
          completions.add(result.get());
        }
      }
      double seconds = (System.nanoTime() - started) / 1e9;

      return new Measured(replica.load(), lent.positionsRead(), seconds, completions);
    }
  }

  private void share() throws Exception {
    share("dream", dream(tokens));
    share("lockstep", lockstep(LockstepMode.GAUSS_SEIDEL, CacheMode.NONE));
  }

  private void share(String name, Decoder decoder) throws Exception {
    Measured measured = run(decoder, requests(rows));
    System.out.printf(
        "share %-9s java=%.2f%% of the wall, %.1f ms a batch of %.1f rows%n",
        name,
        100 * measured.javaShare(),
        1e3 * measured.seconds / measured.load.batches(),
        measured.load.rowsPerBatch());
  }

  private void refill(IntFunction<Decoder> decoderOfLength) throws Exception {
    List<DecodeRequest> requests = requests(4 * rows);
    Random random = new Random(5);
    int shortest = Math.max(1, tokens / 5);
    int[] lengths =
        requests.stream()
            .mapToInt(request -> shortest + random.nextInt(tokens - shortest + 1))
            .toArray();
    int[] longest =
        IntStream.range(0, lengths.length)
            .map(
                i ->
                    Arrays.stream(lengths, i / rows * rows, (i / rows + 1) * rows)
                        .max()
                        .orElseThrow())
            .toArray();
    List<Decoder> own = Arrays.stream(lengths).mapToObj(decoderOfLength).toList();
    List<Decoder> kept = Arrays.stream(longest).mapToObj(decoderOfLength).toList();
    List<Double> overKept = new ArrayList<>();
    List<Double> overLeft = new ArrayList<>();
    for (int round = 0; round < REFILL_ROUNDS; round++) {
      Measured keeping = run(kept, requests, rows);
      Measured leaving = run(own, requests, rows);
      Measured refilled = run(own, requests, requests.size());
      overKept.add(keeping.seconds / refilled.seconds);
      overLeft.add(leaving.seconds / refilled.seconds);
      printRefill("batch kept whole", keeping);
      printRefill("finished rows leave", leaving);
      printRefill("refilled", refilled);
    }
    Collections.sort(overKept);
    Collections.sort(overLeft);
    System.out.printf(
        "refill ratio of rows/s: %.2f to a batch that keeps finished rows, %.2f to one that they"
            + " leave (medians of %s and %s)%n",
        overKept.get(REFILL_ROUNDS / 2), overLeft.get(REFILL_ROUNDS / 2), overKept, overLeft);
  }

  private static void printRefill(String how, Measured measured) {
    System.out.printf(
        "refill %-20s %.2f rows/s in %d batches of %.1f rows%n",
        how,
        measured.completions.size() / measured.seconds,
        measured.load.batches(),
        measured.load.rowsPerBatch());
  }

  private void decoders(Pattern only) throws Exception {
    Map<String, Decoder> decoders = new LinkedHashMap<>();
    decoders.put("dream", dream(tokens));
    decoders.put(
        "llada",
        new LladaDecoder(
            tokens,
            tokens,
            32,
            0,
            LladaDecoder.Remasking.LOW_CONFIDENCE,
            ProposalSettings.of(SUPPRESSED)));
    for (CacheMode cache : CacheMode.values()) {
      decoders.put("fast_dllm " + cache.spelling(), fastDllm(tokens, cache));
    }
    for (CacheMode cache : List.of(CacheMode.NONE, CacheMode.PREFIX)) {
      decoders.put(
          "d2f " + cache.spelling(),
          new D2fDecoder(
              tokens,
              32,
              0.1,
              0.95,
              0.9,
              D2fDecoder.SamplingStrategy.DEFAULT,
              List.of(model.spec().vocabSize()), // no end: every row has its full length
              cache,
              ProposalSettings.of(SUPPRESSED)));
    }
    for (LockstepMode mode : LockstepMode.values()) {
      for (CacheMode cache : CacheMode.values()) {
        decoders.put(
            "lockstep %s %s".formatted(mode.spelling(), cache.spelling()), lockstep(mode, cache));
      }
    }
    decoders.keySet().removeIf(name -> !only.matcher(name).find());
    for (Map.Entry<String, Decoder> decoder : decoders.entrySet()) {
      Measured measured = run(decoder.getValue(), requests(rows));
      System.out.printf(
          "decoder %-28s %8.1f row passes/s %8.1f tokens/s %6.1f passes/row %6.1f positions/pass"
              + " java=%.2f%%%n",
          decoder.getKey(),
          measured.rowPassesPerSecond(),
          measured.tokensPerSecond(),
          (double) measured.load.rowPasses() / rows,
          measured.positionsPerPass(),
          100 * measured.javaShare());
    }
  }

  private static final Sampling SUPPRESSED = new Sampling(0, 1, Sampling.NO_TOP_K, true);

  private DreamDecoder dream(int length) {
    return new DreamDecoder(
        length,
        length,
        0.001,
        Optional.of(Confidence.MASKGIT_PLUS),
        0,
        ProposalSettings.of(SUPPRESSED));
  }

  private static int wholeBlocks(int length) {
    return (length + BLOCK - 1) / BLOCK * BLOCK;
  }

  private FastDllmDecoder fastDllm(int length, CacheMode cache) {
    return new FastDllmDecoder(
        length,
        length,
        0.001,
        FastDllmDecoder.Scope.BLOCK,
        FastDllmDecoder.Rule.THRESHOLD,
        BLOCK,
        0.9,
        1,
        FastDllmDecoder.BlockStartRule.FORCED,
        cache,
        ProposalSettings.of(SUPPRESSED));
  }

  private LockstepDecoder lockstep(LockstepMode mode, CacheMode cache) {
    return lockstep(
        mode,
        cache,
        8,
        List.of(model.spec().vocabSize()),
        new Markers(new int[] {1, 2, 3}, new int[] {4, 5, 6}));
  }

  private LockstepDecoder lockstep(
      LockstepMode mode, CacheMode cache, int halo, List<Integer> eosIds, Markers markers) {
    return new LockstepDecoder(
        new LockstepSettings(
            mode,
            0.90,
            0.92,
            0.4,
            halo,
            tokens / 4,
            tokens - tokens / 4,
            cache,
            LockstepSettings.AS_LONG_AS_BLOCKS,
            Confidence.MASKGIT_PLUS,
            eosIds,
            ProposalSettings.of(SUPPRESSED)),
        markers);
  }

  /** Against cache=none on the bundled tasks: the same tokens, and what a pass reads. */
  private void agreement(Path folder, int tasks) throws Exception {
    List<DecodeRequest> requests = new ArrayList<>();
    Markers markers;
    try (DreamTokenizer tokenizer = DreamTokenizer.open(folder)) {
      markers = new Markers(tokenizer.encode("[R]"), tokenizer.encode("[A]"));
      Benchmark suite = Benchmarks.open(Suite.STARTER);
      PromptBuilder builder = PromptBuilder.reasoningAndAnswering(PromptStyle.RAW, "[R]", "[A]");
      for (Task task : suite.tasks().subList(0, Math.min(tasks, suite.tasks().size()))) {
        requests.add(
            new DecodeRequest(
                task.taskId(), tokenizer.encode(builder.build(task)), 0, task.taskId(), 0));
      }
    }
    for (LockstepMode mode : LockstepMode.values()) {
      List<Integer> end = model.spec().eosIds();
      Measured exact = run(lockstep(mode, CacheMode.NONE, 0, end, markers), requests);
      print(mode, "none", exact, exact, end);
      for (CacheMode cache : List.of(CacheMode.PREFIX, CacheMode.DUAL)) {
        for (int halo : new int[] {0, 8, 32}) {
          Measured cached = run(lockstep(mode, cache, halo, end, markers), requests);
          print(mode, "%s halo=%d".formatted(cache.spelling(), halo), cached, exact, end);
        }
      }
    }
  }

  private static void print(
      LockstepMode mode, String cache, Measured cached, Measured exact, List<Integer> eosIds) {
    int sameRows = 0;
    long sameTokens = 0;
    long allTokens = 0;
    for (int i = 0; i < exact.completions.size(); i++) {
      int[] expected = exact.completions.get(i).tokenIds();
      int[] actual = cached.completions.get(i).tokenIds();
      for (int j = 0; j < expected.length; j++) {
        boolean filled = eosIds.contains(expected[j]) && eosIds.contains(actual[j]);
        sameTokens += !filled && expected[j] == actual[j] ? 1 : 0;
        allTokens += filled ? 0 : 1;
      }
      sameRows += Arrays.equals(expected, actual) ? 1 : 0;
    }
    System.out.printf(
        "agreement %-12s %-14s rows=%d/%d tokens=%.1f%% passes/row=%.1f"
            + " positions/pass=%.1f seconds=%.1f%n",
        mode.spelling(),
        cache,
        sameRows,
        exact.completions.size(),
        100.0 * sameTokens / allTokens,
        cached.load.rowPasses() / (double) exact.completions.size(),
        cached.positionsPerPass(),
        cached.seconds);
  }
}
