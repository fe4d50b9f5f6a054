package ai.lockstep.udf.replica;

import java.io.Serializable;

/**
 * What a replica has done since it started.
 *
 * @param batches forward calls of the model
 * @param rowPasses rows in those calls
 * @param busyNanos time inside the model
 * @param workNanos time in which there was a row to decode: inside the model, and the decoder's own
 * @param rowsFinished rows returned, failed ones not counted
 * @param rowsFailed rows that failed
 */
public record ReplicaLoad(
    long batches,
    long rowPasses,
    long busyNanos,
    long workNanos,
    long rowsFinished,
    long rowsFailed)
    implements Serializable {

  /** Before the first call. */
  public static final ReplicaLoad NONE = new ReplicaLoad(0, 0, 0, 0, 0, 0);

  /** Mean number of rows a forward call carried; 0 before the first. */
  public double rowsPerBatch() {
    return batches == 0 ? 0 : (double) rowPasses / batches;
  }

  ReplicaLoad withBatch(int rows, long nanos) {
    return new ReplicaLoad(
        batches + 1, rowPasses + rows, busyNanos + nanos, workNanos, rowsFinished, rowsFailed);
  }

  ReplicaLoad withWork(long nanos) {
    return new ReplicaLoad(
        batches, rowPasses, busyNanos, workNanos + nanos, rowsFinished, rowsFailed);
  }

  /** What was done after {@code earlier}. */
  public ReplicaLoad since(ReplicaLoad earlier) {
    return new ReplicaLoad(
        batches - earlier.batches,
        rowPasses - earlier.rowPasses,
        busyNanos - earlier.busyNanos,
        workNanos - earlier.workNanos,
        rowsFinished - earlier.rowsFinished,
        rowsFailed - earlier.rowsFailed);
  }

  /** What two replicas have done. */
  public ReplicaLoad plus(ReplicaLoad other) {
    return new ReplicaLoad(
        batches + other.batches,
        rowPasses + other.rowPasses,
        busyNanos + other.busyNanos,
        workNanos + other.workNanos,
        rowsFinished + other.rowsFinished,
        rowsFailed + other.rowsFailed);
  }

  ReplicaLoad withFinishedRow() {
    return new ReplicaLoad(batches, rowPasses, busyNanos, workNanos, rowsFinished + 1, rowsFailed);
  }

  ReplicaLoad withFailedRow() {
    return new ReplicaLoad(batches, rowPasses, busyNanos, workNanos, rowsFinished, rowsFailed + 1);
  }
}
