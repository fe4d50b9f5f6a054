package ai.lockstep.udf.benchmark;

import ai.lockstep.udf.decode.ForwardingModel;
import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import java.util.List;

/** A model that outlives the replica it is lent to; counts what passes read. */
final class BorrowedModel extends ForwardingModel {

  private volatile long positionsRead;

  BorrowedModel(MaskedDiffusionModel model) {
    super(model);
  }

  @Override
  public List<Proposals> propose(List<RowPass> rows) {
    for (RowPass row : rows) {
      positionsRead += row.pass().windowLength();
    }

    return super.propose(rows);
  }

  /** Positions of all windows so far. */
  long positionsRead() {
    return positionsRead;
  }

  @Override
  public void close() {}
}
