package ai.lockstep.udf.benchmark;

import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import java.util.List;

/** A model that outlives the replica it is lent to; counts what passes read. */
final class BorrowedModel implements MaskedDiffusionModel {

  private final MaskedDiffusionModel model;
  private volatile long positionsRead;

  BorrowedModel(MaskedDiffusionModel model) {
    this.model = model;
  }

  @Override
  public ModelSpec spec() {
    return model.spec();
  }

  @Override
  public List<Proposals> propose(List<RowPass> rows) {
    for (RowPass row : rows) {
      positionsRead += row.pass().windowLength();
    }

    return model.propose(rows);
  }

  /** Positions of all windows so far. */
  long positionsRead() {
    return positionsRead;
  }

  @Override
  public int openSlot(int length) {
    return model.openSlot(length);
  }

  @Override
  public void closeSlot(int slot) {
    model.closeSlot(slot);
  }

  @Override
  public void close() {}
}
