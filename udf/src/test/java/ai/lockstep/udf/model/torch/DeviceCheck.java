package ai.lockstep.udf.model.torch;

import ai.lockstep.udf.checkpoint.CheckpointConfig;
import ai.lockstep.udf.checkpoint.CheckpointLocator;
import ai.lockstep.udf.checkpoint.CheckpointSource;
import ai.lockstep.udf.golden.Golden;
import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.LogitsStatistics;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import ai.lockstep.udf.model.Sampling;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Checks a device that the tests do not reach: the golden forwards within the device's number
 * format, rows in batches against rows alone, caches against full passes, and statistics against
 * their definition. How far bfloat16 may be from a golden is measured: as far as the CPU is when it
 * computes in bfloat16, and half as much again. Usage: {@code DeviceCheck [cpu|cpu-bfloat16|cuda]};
 * exits with 1 if anything is off.
 */
public final class DeviceCheck {

  /** Relative error between two ways of computing the same in bfloat16; a wrong key gives 0.3. */
  private static final double BFLOAT16_ERROR = 8e-2;

  private static final double FLOAT32_ERROR = 1e-4;

  /** A device's kernels may round at other places than the CPU's. */
  private static final double ROUNDING_SLACK = 1.5;

  private final DreamModel model;
  private final double tolerance;
  private final Random random = new Random(11);
  private boolean failed;

  private DeviceCheck(DreamModel model, double tolerance) {
    this.model = model;
    this.tolerance = tolerance;
  }

  /** Runs all checks. */
  public static void main(String[] arguments) {
    List<String> words = List.of(arguments);
    TorchDevice device = device(words);
    boolean half = device.dtype() != TorchDevice.cpu().dtype();
    double tolerance = half ? BFLOAT16_ERROR : FLOAT32_ERROR;
    boolean failed;
    var golden = new CheckpointSource.Folder(Golden.file("model"));
    try (DreamModel model =
        DreamModel.load(CheckpointLocator.fromEnvironment().locate(golden), 304, device)) {
      DeviceCheck check = new DeviceCheck(model, tolerance);
      check.goldens(half ? roundingErrors(golden) : Map.of());
      check.batches();
      check.equalRows(2);
      check.equalRows(33);
      failed = check.failed;
    }
    // Heads as wide as Dream-7B's, seven queries a key, and a vocabulary that is drawn from in
    // parts.
    CheckpointConfig wide =
        new CheckpointConfig(
            4096, 896, 1024, 3, 7, 1, 128, 1e6, 1e-6, 4000, 3999, List.of(3999), 2048, false);
    try (DreamModel model = DreamModel.random(wide, 4001, device)) {
      DeviceCheck check = new DeviceCheck(model, tolerance);
      check.batches();
      check.equalRows(2);
      check.equalRows(33);
      check.statistics();
      failed |= check.failed;
    }
    System.out.println(failed ? "DEVICE CHECK FAILED" : "device check passed");
    System.exit(failed ? 1 : 0);
  }

  private static TorchDevice device(List<String> words) {
    if (words.contains("cuda")) {
      return TorchDevice.cuda(0);
    }

    return words.contains("cpu-bfloat16") ? TorchDevice.cpu().inBfloat16() : TorchDevice.cpu();
  }

  private static List<String> goldenNames() {
    List<String> names = new ArrayList<>(GoldenForward.WHOLE_ROWS);
    names.addAll(GoldenForward.CACHED);

    return names;
  }

  /** What rounding to bfloat16 does to each golden, on the CPU. */
  private static Map<String, Double> roundingErrors(CheckpointSource golden) {
    Map<String, Double> errors = new LinkedHashMap<>();
    var checkpoint = CheckpointLocator.fromEnvironment().locate(golden);
    try (DreamModel model = DreamModel.load(checkpoint, 304, TorchDevice.cpu().inBfloat16())) {
      for (String name : goldenNames()) {
        errors.put(
            name, relativeError(GoldenForward.answer(model, name), GoldenForward.expected(name)));
      }
    }

    return errors;
  }

  private void goldens(Map<String, Double> roundingErrors) {
    for (String name : goldenNames()) {
      double error = relativeError(GoldenForward.answer(model, name), GoldenForward.expected(name));
      double rounding = roundingErrors.getOrDefault(name, tolerance / ROUNDING_SLACK);
      verdict(
          "golden %s: relative error %.1e, allowed %.1e"
              .formatted(name, error, ROUNDING_SLACK * rounding),
          error < ROUNDING_SLACK * rounding);
    }
  }

  private void batches() {
    List<RowPass> rows = new ArrayList<>();
    List<RowPass> fill = new ArrayList<>();
    List<RowPass> windows = new ArrayList<>();
    List<RowPass> equalWindows = new ArrayList<>();
    List<Integer> slots = new ArrayList<>();
    int[] lengths = {77, 40, 128, 33, 128, 1};
    for (int length : lengths) {
      int[] ids = random.ints(length, 0, 300).toArray();
      Pass whole = GoldenForward.wantingLogits(ids);
      int slot = model.openSlot(200);
      slots.add(slot);
      rows.add(new RowPass(whole, RowPass.NO_SLOT));
      fill.add(new RowPass(whole, slot));
      windows.add(new RowPass(window(ids, length / 3, length / 3 + length / 2 + 1), slot));
      equalWindows.add(new RowPass(window(ids, 0, 1), slot));
    }
    float[][] alone = new float[0][];
    for (RowPass row : rows) {
      alone = concatenate(alone, logits(model.propose(List.of(row))));
    }
    compare("rows together and alone", logits(model.propose(rows)), alone);
    compare("rows in slots and without", logits(model.propose(fill)), alone);
    compare("windows over the cache", logits(model.propose(windows)), alone);
    compare("equal windows in order of slots", logits(model.propose(equalWindows)), alone);
    slots.forEach(model::closeSlot);
  }

  /** Rows of one shape in neighbouring slots, which attend as one block, few or many. */
  private void equalRows(int count) {
    List<RowPass> rows = new ArrayList<>();
    List<RowPass> fill = new ArrayList<>();
    List<RowPass> windows = new ArrayList<>();
    float[][] alone = {};
    for (int r = 0; r < count; r++) {
      int[] ids = random.ints(70, 0, 300).toArray();
      Pass whole = GoldenForward.wantingLogits(ids);
      int slot = model.openSlot(200);
      rows.add(new RowPass(whole, RowPass.NO_SLOT));
      fill.add(new RowPass(whole, slot));
      windows.add(new RowPass(window(ids, 20, 40), slot));
      alone = concatenate(alone, logits(model.propose(List.of(rows.get(r)))));
    }
    compare(count + " equal rows and each alone", logits(model.propose(rows)), alone);
    compare(count + " equal rows in slots and alone", logits(model.propose(fill)), alone);
    compare(count + " equal windows over the cache", logits(model.propose(windows)), alone);
    windows.forEach(row -> model.closeSlot(row.slot()));
  }

  private static Pass window(int[] ids, int from, int to) {
    int[] everywhere = IntStream.range(0, ids.length).toArray();

    return Pass.window(ids, from, Math.min(to, ids.length), everywhere, Alignment.IN_PLACE)
        .withLogits();
  }

  private void statistics() {
    Sampling[] samplings = {
      Sampling.GREEDY,
      new Sampling(0, 1, 0, true),
      new Sampling(1, 1, 0, true),
      new Sampling(0.2, 0.95, 0, true),
      new Sampling(1, 0.9, 0, false),
      new Sampling(0.7, 0.9, 50, true)
    };
    int[] ids = random.ints(300, 0, 4000).toArray();
    int[] targets = IntStream.range(0, ids.length).toArray();
    for (Sampling sampling : samplings) {
      double[] uniforms = random.doubles(sampling.draws() ? ids.length : 0).toArray();
      Pass pass =
          Pass.full(ids, targets, Alignment.IN_PLACE)
              .withSampling(sampling, uniforms)
              .withGivenTokens(ids)
              .withSpread()
              .withLogits();
      Proposals actual = model.propose(List.of(new RowPass(pass, RowPass.NO_SLOT))).get(0);
      Proposals expected = LogitsStatistics.of(model.spec()).propose(pass, logits(List.of(actual)));
      int otherTokens = 0;
      double worst = 0;
      for (int i = 0; i < ids.length; i++) {
        if (actual.token(i) != expected.token(i)) {
          otherTokens++;
        } else {
          worst = Math.max(worst, Math.abs(actual.p(i) - expected.p(i)));
          worst = Math.max(worst, Math.abs(actual.margin(i) - expected.margin(i)));
          worst = Math.max(worst, Math.abs(actual.logProbability(i) - expected.logProbability(i)));
        }
        worst = Math.max(worst, Math.abs(actual.negativeEntropy(i) - expected.negativeEntropy(i)));
        worst =
            Math.max(
                worst, Math.abs(actual.givenLogProbability(i) - expected.givenLogProbability(i)));
      }
      verdict(
          "statistics %s: %d other tokens, largest difference %.1e"
              .formatted(sampling, otherTokens, worst),
          // A number drawn may lie within rounding of the border between two of 4096 tokens, and
          // so may the end of a nucleus, where a token more or less has a probability of 1/4096.
          otherTokens <= 3 && worst < (sampling.topP() < 1 ? 1e-3 : 2e-4));
    }
  }

  private void compare(String what, float[][] actual, float[][] expected) {
    double error = relativeError(actual, expected);
    verdict("%s: relative error %.1e".formatted(what, error), error < tolerance);
  }

  private static double relativeError(float[][] actual, float[][] expected) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < expected[i].length; j++) {
        difference += Math.pow(actual[i][j] - (double) expected[i][j], 2);
        size += Math.pow(expected[i][j], 2);
      }
    }

    return Math.sqrt(difference / size);
  }

  private void verdict(String what, boolean good) {
    failed |= !good;
    System.out.println(String.format(Locale.ROOT, "%s %s", good ? "ok  " : "FAIL", what));
  }

  private static float[][] logits(List<Proposals> answers) {
    float[][] all = {};
    for (Proposals answer : answers) {
      float[][] rows =
          IntStream.range(0, answer.size())
              .mapToObj(i -> answer.logits(i).orElseThrow())
              .toArray(float[][]::new);
      all = concatenate(all, rows);
    }

    return all;
  }

  private static float[][] concatenate(float[][] first, float[][] second) {
    float[][] both = new float[first.length + second.length][];
    System.arraycopy(first, 0, both, 0, first.length);
    System.arraycopy(second, 0, both, first.length, second.length);

    return both;
  }
}
