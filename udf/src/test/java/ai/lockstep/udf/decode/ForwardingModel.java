package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import java.util.List;

/** Another model, to change one thing about. */
public class ForwardingModel implements MaskedDiffusionModel {

  private final MaskedDiffusionModel model;

  /** What is not overridden is the given model's. */
  public ForwardingModel(MaskedDiffusionModel model) {
    this.model = model;
  }

  @Override
  public ModelSpec spec() {
    return model.spec();
  }

  @Override
  public List<Proposals> propose(List<RowPass> rows) {
    return model.propose(rows);
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
  public void close() {
    model.close();
  }
}
