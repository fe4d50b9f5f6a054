package ai.lockstep.udf.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.decode.Confidence;
import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.Decoder;
import ai.lockstep.udf.decode.DreamDecoder;
import ai.lockstep.udf.decode.LockstepDecoder;
import ai.lockstep.udf.decode.LockstepSettings;
import ai.lockstep.udf.decode.Markers;
import ai.lockstep.udf.decode.ProposalSettings;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import ai.lockstep.udf.toy.ToyModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ReplicaTest {

  /** A prompt with this token breaks {@link Watched}. */
  private static final int POISON = 9;

  /** The toy model; says when a batch begins, waits to be let on, and breaks on poison. */
  private static final class Watched implements MaskedDiffusionModel {

    private final ToyModel toy = new ToyModel();
    private final Semaphore permits;
    private final Semaphore begun = new Semaphore(0);
    private final ConcurrentLinkedQueue<List<Integer>> batches = new ConcurrentLinkedQueue<>();

    Watched(int passes) {
      this.permits = new Semaphore(passes);
    }

    /** First prompt tokens of the rows of each batch. */
    List<List<Integer>> batches() {
      return new ArrayList<>(batches);
    }

    void letOn(int passes) {
      permits.release(passes);
    }

    void awaitBatch() throws InterruptedException {
      assertThat(begun.tryAcquire(20, TimeUnit.SECONDS)).isTrue();
    }

    @Override
    public ModelSpec spec() {
      return toy.spec();
    }

    @Override
    public List<Proposals> propose(List<RowPass> rows) {
      batches.add(rows.stream().map(row -> row.pass().token(0)).toList());
      begun.release();
      permits.acquireUninterruptibly();
      if (rows.stream().anyMatch(row -> row.pass().token(0) == POISON)) {
        throw new IllegalStateException("poisoned");
      }

      return toy.propose(rows);
    }

    @Override
    public int openSlot(int length) {
      return toy.openSlot(length);
    }

    @Override
    public void closeSlot(int slot) {
      toy.closeSlot(slot);
    }

    @Override
    public void close() {
      toy.close();
    }
  }

  private static final int FREELY = 1_000_000;

  private static DecodeRequest request(int... prompt) {
    return new DecodeRequest("row " + prompt[0], prompt, 0, "task", 0);
  }

  /** Takes exactly so many passes. */
  private static Decoder passes(int passes) {
    return new DreamDecoder(
        passes, passes, 0.001, Optional.of(Confidence.ENTROPY), 0, ProposalSettings.GREEDY);
  }

  private static Completion decoded(CompletableFuture<Completion> result) throws Exception {
    return result.get(20, TimeUnit.SECONDS);
  }

  @Test
  void aRowThatCannotBeLaidOutFailsAlone() throws Exception {
    try (Replica replica = new Replica("test", new Watched(FREELY), 4)) {
      CompletableFuture<Completion> tooLong = replica.submit(request(new int[96]), passes(4));
      CompletableFuture<Completion> badIds = replica.submit(request(1, 13), passes(4));
      CompletableFuture<Completion> good = replica.submit(request(1, 2), passes(4));

      assertThatThrownBy(() -> decoded(tooLong))
          .isInstanceOf(ExecutionException.class)
          .hasRootCauseMessage(
              "Cannot decode row row 0: its prompt of 96 tokens and 4 positions to fill exceed the model's context of 96. Shorten the prompt or lower model.generation.max_new_tokens.");
      assertThatThrownBy(() -> decoded(badIds))
          .hasRootCauseMessage(
              "Cannot decode row row 1: its prompt holds id 13, and the model's ids are 0 to 12.");
      assertThat(decoded(good).tokenIds()).hasSize(4);
    }
  }

  @Test
  void aBatchThatBreaksIsRunAgainRowByRow() throws Exception {
    Watched model = new Watched(0);
    try (Replica replica = new Replica("test", model, 3)) {
      CompletableFuture<Completion> first = replica.submit(request(1), passes(2));
      model.awaitBatch();
      CompletableFuture<Completion> poisoned = replica.submit(request(POISON), passes(2));
      CompletableFuture<Completion> last = replica.submit(request(2), passes(2));
      model.letOn(FREELY);

      assertThatThrownBy(() -> decoded(poisoned)).hasRootCauseMessage("poisoned");
      assertThat(decoded(first).nfe()).isEqualTo(2);
      assertThat(decoded(last).nfe()).isEqualTo(2);
      assertThat(model.batches())
          .startsWith(List.of(1), List.of(1, POISON, 2), List.of(1), List.of(POISON), List.of(2));
    }
  }

  @Test
  void aRowThatFailsGivesItsCacheSlotBack() throws Exception {
    Watched model = new Watched(FREELY);
    Decoder cached =
        new LockstepDecoder(cachedSettings(), new Markers(new int[] {1}, new int[] {2}));
    try (Replica replica = new Replica("test", model, 2)) {
      CompletableFuture<Completion> poisoned = replica.submit(request(POISON), cached);
      CompletableFuture<Completion> good = replica.submit(request(1), cached);

      assertThatThrownBy(() -> decoded(poisoned)).hasRootCauseMessage("poisoned");
      decoded(good);
    }
    assertThat(model.toy.openSlots()).isZero();
    assertThat(model.toy.mostOpenSlots()).isPositive();
  }

  private static LockstepSettings cachedSettings() {
    LockstepSettings of = LockstepSettings.of(4, 4);
    return new LockstepSettings(
        of.mode(),
        of.tauR(),
        of.tauA(),
        of.maxFillFrac(),
        of.halo(),
        of.rLength(),
        of.aLength(),
        ai.lockstep.udf.decode.CacheMode.DUAL,
        of.steps(),
        of.alg(),
        of.eosIds(),
        of.proposals());
  }

  @Test
  void aFinishedRowsPlaceGoesToTheNextRowAtOnce() throws Exception {
    Watched model = new Watched(0);
    try (Replica replica = new Replica("test", model, 2)) {
      replica.submit(request(1), passes(1));
      model.awaitBatch();
      CompletableFuture<Completion> longRow = replica.submit(request(2), passes(5));
      List<CompletableFuture<Completion>> shortRows =
          List.of(
              replica.submit(request(3), passes(1)),
              replica.submit(request(4), passes(2)),
              replica.submit(request(5), passes(1)),
              replica.submit(request(6), passes(1)));
      model.letOn(FREELY);
      decoded(longRow);
      for (CompletableFuture<Completion> row : shortRows) {
        decoded(row);
      }

      assertThat(model.batches())
          .containsExactly(
              List.of(1),
              List.of(2, 3),
              List.of(2, 4),
              List.of(2, 4),
              List.of(2, 5),
              List.of(2, 6));
    }
  }

  @Test
  void aCallerWaitsWhileTooManyRowsWait() throws Exception {
    Watched model = new Watched(0);
    AtomicInteger handedIn = new AtomicInteger();
    try (Replica replica = new Replica("test", model, 1)) {
      replica.submit(request(1), passes(1));
      model.awaitBatch(); // one runs and blocks; four may wait
      List<CompletableFuture<Completion>> results = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        results.add(replica.submit(request(2), passes(1)));
      }
      Thread caller =
          new Thread(
              () -> {
                try {
                  results.add(replica.submit(request(3), passes(1)));
                  handedIn.incrementAndGet();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      caller.start();
      while (caller.getState() != Thread.State.TIMED_WAITING) {
        Thread.onSpinWait();
      }
      assertThat(handedIn).hasValue(0);

      model.letOn(FREELY);
      caller.join();

      assertThat(handedIn).hasValue(1);
      for (CompletableFuture<Completion> result : results) {
        assertThat(decoded(result).nfe()).isEqualTo(1);
      }
    }
  }

  @Test
  void closingFailsWhatIsNotFinishedAndClosesTheModelOnce() throws Exception {
    Watched model = new Watched(0);
    Replica replica = new Replica("test", model, 1);
    CompletableFuture<Completion> running = replica.submit(request(1), passes(50));
    model.awaitBatch();
    CompletableFuture<Completion> waiting = replica.submit(request(2), passes(1));
    model.letOn(3);
    Thread closing = new Thread(replica::close);
    closing.start();
    model.letOn(FREELY);
    closing.join();

    for (CompletableFuture<Completion> result : List.of(running, waiting)) {
      if (result.isCompletedExceptionally()) {
        assertThatThrownBy(() -> decoded(result))
            .isInstanceOf(CancellationException.class)
            .hasMessage("Replica test was closed");
      } else {
        assertThat(result).isCompleted();
      }
    }
    assertThat(model.toy.isClosed()).isTrue();
    assertThatThrownBy(() -> replica.submit(request(3), passes(1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Replica test was closed");
    replica.close(); // closing twice is harmless
  }

  @Test
  void measuresItself() throws Exception {
    try (Replica replica = new Replica("test", new Watched(FREELY), 1)) {
      decoded(replica.submit(request(1), passes(3)));
      CompletableFuture<Completion> bad = replica.submit(request(1, 99), passes(3));
      assertThatThrownBy(() -> decoded(bad)).isInstanceOf(ExecutionException.class);

      ReplicaLoad load = replica.load();
      assertThat(load.batches()).isEqualTo(3);
      assertThat(load.rowPasses()).isEqualTo(3);
      assertThat(load.rowsFinished()).isEqualTo(1);
      assertThat(load.rowsFailed()).isEqualTo(1);
      assertThat(load.rowsPerBatch()).isEqualTo(1);
      assertThat(load.busyNanos()).isPositive();
      assertThat(load.workNanos()).isGreaterThanOrEqualTo(load.busyNanos());
    }
  }
}
