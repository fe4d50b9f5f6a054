package ai.lockstep.jobs.decoding;

import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.spark.CheckpointModel;
import ai.lockstep.udf.spark.ModelSource;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * In a model's place for benchmarks: a pass takes a set time, whatever the batch, and no processor;
 * tokens are letters that depend on their position alone. It keeps a file on how busy it is.
 */
final class TimedModel implements MaskedDiffusionModel {

  private static final int CONTEXT = 4096;
  private static final int FIRST_TOKEN = 32;
  private static final int TOKENS = 64;
  static final Duration LONG_GAP = Duration.ofMillis(20);

  private final ModelSpec spec;
  private final Source source;
  private long firstStart;
  private long firstMillis;
  private long busyNanos;
  private long lastEnd;
  private long longGapsNanos;

  private TimedModel(ModelSpec spec, Source source) {
    this.spec = spec;
    this.source = source;
  }

  /**
   * Where executors get it from. Serialised: yes.
   *
   * @param passMicros time of a pass; 0 for none, and no file
   * @param folder where every replica keeps a file
   */
  record Source(long passMicros, String folder) implements ModelSource, Serializable {

    @Override
    public String name() {
      return "timed";
    }

    @Override
    public Loaded load(TorchDevice device) {
      DreamTokenizer tokenizer =
          DreamTokenizer.open(CheckpointModel.at("bundled:dream-tiny").locate().folder());
      int tokens = tokenizer.tokenCount();
      return new Loaded(
          tokenizer,
          new TimedModel(
              new ModelSpec(
                  "timed",
                  tokens,
                  tokens,
                  tokens - 1,
                  tokens - 2,
                  List.of(tokens - 2),
                  CONTEXT,
                  Alignment.SHIFTED),
              this));
    }
  }

  /**
   * What a replica was doing.
   *
   * @param firstMillis when its first pass started, in epoch milliseconds
   * @param lastMillis when its last pass ended
   * @param spanNanos from one to the other
   * @param busyNanos in passes
   * @param longGapsNanos between passes that were more than {@link #LONG_GAP} apart: there were no
   *     rows, where shorter gaps are the decoder's own work
   */
  record Busy(
      long firstMillis, long lastMillis, long spanNanos, long busyNanos, long longGapsNanos) {

    /** Of all replicas. */
    static List<Busy> read(Path folder) throws IOException {
      List<Busy> busy = new ArrayList<>();
      try (var files = Files.list(folder)) {
        for (Path file : (Iterable<Path>) files::iterator) {
          String[] words = Files.readString(file).split(" ");
          busy.add(
              new Busy(
                  Long.parseLong(words[0]),
                  Long.parseLong(words[1]),
                  Long.parseLong(words[2]),
                  Long.parseLong(words[3]),
                  Long.parseLong(words[4])));
        }
      }
      return busy;
    }
  }

  @Override
  public ModelSpec spec() {
    return spec;
  }

  @Override
  public List<Proposals> propose(List<RowPass> rows) {
    long started = System.nanoTime();
    List<Proposals> proposals = new ArrayList<>(rows.size());
    for (RowPass row : rows) {
      proposals.add(propose(row.pass()));
    }
    if (source.passMicros > 0) {
      long end = started + TimeUnit.MICROSECONDS.toNanos(source.passMicros);
      for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
      note(started);
    }
    return proposals;
  }

  private void note(long started) {
    long now = System.nanoTime();
    long nowMillis = System.currentTimeMillis();
    if (firstStart == 0) {
      firstStart = started;
      firstMillis = nowMillis - TimeUnit.NANOSECONDS.toMillis(now - started);
    }
    if (lastEnd != 0 && started - lastEnd > LONG_GAP.toNanos()) {
      longGapsNanos += started - lastEnd;
    }
    lastEnd = now;
    busyNanos += now - started;
    try {
      Files.writeString(
          Path.of(source.folder, String.valueOf(ProcessHandle.current().pid())),
          "%d %d %d %d %d"
              .formatted(firstMillis, nowMillis, now - firstStart, busyNanos, longGapsNanos));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Proposals propose(Pass pass) {
    int count = pass.targetCount();
    int[] tokens = new int[count];
    float[] p = new float[count];
    float[] margin = new float[count];
    float[] negativeEntropy = new float[count];
    float[] logProbability = new float[count];
    for (int i = 0; i < count; i++) {
      int number = pass.target(i) * 31 % 97;
      tokens[i] = FIRST_TOKEN + number % TOKENS;
      p[i] = 0.5f + number / 200f;
      margin[i] = p[i] / 2;
      negativeEntropy[i] = -1 + p[i];
      logProbability[i] = (float) Math.log(p[i]);
    }
    return new Proposals(
        tokens, p, margin, negativeEntropy, logProbability, new float[0], new float[0][]);
  }

  @Override
  public int openSlot(int length) {
    throw new UnsupportedOperationException("timed without a cache");
  }

  @Override
  public void closeSlot(int slot) {
    throw new UnsupportedOperationException("timed without a cache");
  }

  @Override
  public void close() {}
}
