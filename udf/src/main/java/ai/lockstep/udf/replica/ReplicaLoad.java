package ai.lockstep.udf.replica;

/**
 * What a replica has done since it started.
 *
 * @param batches forward calls of the model
 * @param rowPasses rows in those calls
 * @param busyNanos time inside the model
 * @param rowsFinished rows returned, failed ones not counted
 * @param rowsFailed rows that failed
 */
public record ReplicaLoad(
    long batches, long rowPasses, long busyNanos, long rowsFinished, long rowsFailed) {

  /** Before the first call. */
  static final ReplicaLoad NONE = new ReplicaLoad(0, 0, 0, 0, 0);

  /** Mean number of rows a forward call carried; 0 before the first. */
  public double rowsPerBatch() {
    return batches == 0 ? 0 : (double) rowPasses / batches;
  }

  ReplicaLoad withBatch(int rows, long nanos) {
    return new ReplicaLoad(
        batches + 1, rowPasses + rows, busyNanos + nanos, rowsFinished, rowsFailed);
  }

  ReplicaLoad withFinishedRow() {
    return new ReplicaLoad(batches, rowPasses, busyNanos, rowsFinished + 1, rowsFailed);
  }

  ReplicaLoad withFailedRow() {
    return new ReplicaLoad(batches, rowPasses, busyNanos, rowsFinished, rowsFailed + 1);
  }
}
