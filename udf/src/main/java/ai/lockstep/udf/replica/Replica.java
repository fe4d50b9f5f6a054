package ai.lockstep.udf.replica;

import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.Decoder;
import ai.lockstep.udf.decode.RowDecoder;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model and the thread that drives it. Callers on any thread hand in rows; the replica keeps its
 * batch full with rows of different callers and different decoders, and gives a finished row's
 * place to the next one at once.
 *
 * <p>A row's result depends neither on its batch mates nor on the order of arrival.
 *
 * <p><b>Failures.</b> A row that cannot be laid out fails alone. When a batch fails inside the
 * model, its rows are run again one by one, so that only the row that breaks the model fails.
 */
public final class Replica implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Replica.class);

  /** Rows that wait per row that runs: enough to refill at once, little enough to bound memory. */
  private static final int WAITING_PER_RUNNING = 4;

  /** How often an idle replica looks whether it was closed. */
  private static final long IDLE_MILLIS = 50;

  private final String name;
  private final MaskedDiffusionModel model;
  private final ModelSpec spec;
  private final int maxRows;
  private final BlockingQueue<Waiting> queue;
  private final List<Running> running;
  private final Thread driver;
  private volatile boolean closed;
  private volatile ReplicaLoad load = ReplicaLoad.NONE;

  private record Waiting(
      DecodeRequest request, Decoder decoder, CompletableFuture<Completion> result) {}

  private record Running(RowDecoder row, int slot, CompletableFuture<Completion> result) {}

  /**
   * Starts a replica.
   *
   * @param name for logs and tables, such as {@code host/1234/cpu}
   * @param model driven and finally closed by this replica alone
   * @param maxRows rows in one batch at most, at least 1
   */
  public Replica(String name, MaskedDiffusionModel model, int maxRows) {
    if (maxRows < 1) {
      throw new IllegalArgumentException("A batch needs at least one row, not " + maxRows);
    }
    this.name = name;
    this.model = model;
    this.spec = model.spec();
    this.maxRows = maxRows;
    this.queue = new ArrayBlockingQueue<>(maxRows * WAITING_PER_RUNNING);
    this.running = new ArrayList<>(maxRows);
    this.driver = new Thread(this::drive, "lockstep-replica-" + name);
    driver.setDaemon(true);
    driver.start();
  }

  /** The name given at the start. */
  public String name() {
    return name;
  }

  /** What decoders must know of the model. */
  public ModelSpec spec() {
    return spec;
  }

  /** Rows in one batch at most. */
  public int maxRows() {
    return maxRows;
  }

  /**
   * Whether it takes no more rows: it was closed, or an error such as too little memory ended it.
   */
  public boolean isClosed() {
    return closed;
  }

  /** What was done so far. */
  public ReplicaLoad load() {
    return load;
  }

  /**
   * Hands in a row; waits while too many rows are waiting already.
   *
   * @return completes with the decoded row, or exceptionally with the reason why this row failed
   * @throws InterruptedException while waiting for a place
   * @throws IllegalStateException when the replica was closed
   */
  public CompletableFuture<Completion> submit(DecodeRequest request, Decoder decoder)
      throws InterruptedException {
    CompletableFuture<Completion> result = new CompletableFuture<>();
    Waiting waiting = new Waiting(request, decoder, result);
    do {
      if (closed) {
        throw new IllegalStateException("Replica " + name + " was closed");
      }
    } while (!queue.offer(waiting, IDLE_MILLIS, TimeUnit.MILLISECONDS));
    if (!driver.isAlive()) {
      // The driver may have emptied the queue just before this row came in.
      result.completeExceptionally(closedReason());
    }
    return result;
  }

  private CancellationException closedReason() {
    return new CancellationException("Replica " + name + " was closed");
  }

  private void drive() {
    Throwable reason = closedReason();
    try {
      while (!closed) {
        refill();
        pass();
      }
    } catch (InterruptedException e) {
      LOG.debug("replica {} interrupted", name);
    } catch (RuntimeException | Error e) {
      LOG.error("replica {} stopped", name, e);
      reason = e;
    } finally {
      closed = true;
      for (Running row : running) {
        row.result.completeExceptionally(reason);
      }
      for (Waiting left = queue.poll(); left != null; left = queue.poll()) {
        left.result.completeExceptionally(reason);
      }
      model.close();
    }
  }

  /** Gives free places to waiting rows; waits a little when there is nothing else to do. */
  private void refill() throws InterruptedException {
    while (running.size() < maxRows) {
      Waiting next =
          running.isEmpty() ? queue.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS) : queue.poll();
      if (next == null) {
        return;
      }
      long started = System.nanoTime();
      start(next).ifPresent(running::add);
      load = load.withWork(System.nanoTime() - started);
    }
  }

  private Optional<Running> start(Waiting waiting) {
    try {
      RowDecoder row = waiting.decoder.start(waiting.request, spec);
      if (row.nextPass().isEmpty()) {
        waiting.result.complete(row.completion());
        return Optional.empty();
      }
      int slot = waiting.decoder.usesCache() ? model.openSlot(row.maxLength()) : RowPass.NO_SLOT;
      return Optional.of(new Running(row, slot, waiting.result));
    } catch (RuntimeException e) {
      load = load.withFailedRow();
      waiting.result.completeExceptionally(e);
      return Optional.empty();
    }
  }

  /** One forward pass for every running row; rows that end leave. */
  private void pass() {
    if (running.isEmpty()) {
      return;
    }
    long started = System.nanoTime();
    List<Running> ended = new ArrayList<>();
    try {
      propose(running, ended);
    } catch (RuntimeException e) {
      LOG.warn("replica {}: a batch failed; running its rows one by one", name, e);
      for (Running row : running) {
        passAlone(row, ended);
      }
    }
    running.removeAll(ended);
    load = load.withWork(System.nanoTime() - started);
  }

  private void passAlone(Running row, List<Running> ended) {
    try {
      propose(List.of(row), ended);
    } catch (RuntimeException e) {
      fail(row, e, ended);
    }
  }

  private void propose(List<Running> rows, List<Running> ended) {
    List<RowPass> passes = new ArrayList<>(rows.size());
    for (Running row : rows) {
      passes.add(new RowPass(row.row.nextPass().orElseThrow(), row.slot));
    }
    long started = System.nanoTime();
    List<Proposals> answers = model.propose(passes);
    long nanos = System.nanoTime() - started;
    load = load.withBatch(rows.size(), nanos);
    for (int i = 0; i < answers.size(); i++) {
      accept(rows.get(i), answers.get(i), nanos, ended);
    }
  }

  private void accept(Running row, Proposals answer, long nanos, List<Running> ended) {
    try {
      row.row.accept(answer, TimeUnit.NANOSECONDS.toMicros(nanos));
      if (row.row.nextPass().isEmpty()) {
        Completion completion = row.row.completion();
        end(row, ended);
        load = load.withFinishedRow();
        row.result.complete(completion);
      }
    } catch (RuntimeException e) {
      fail(row, e, ended);
    }
  }

  private void fail(Running row, RuntimeException reason, List<Running> ended) {
    end(row, ended);
    load = load.withFailedRow();
    row.result.completeExceptionally(reason);
  }

  private void end(Running row, List<Running> ended) {
    ended.add(row);
    if (row.slot != RowPass.NO_SLOT) {
      model.closeSlot(row.slot);
    }
  }

  /** Stops after the pass in flight; rows that are not finished fail. Closes the model. */
  @Override
  public void close() {
    closed = true;
    try {
      driver.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
