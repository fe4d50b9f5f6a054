package ai.lockstep.jobs.decoding;

import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.spark.ModelSource;
import java.io.Serializable;
import java.util.List;

/** A {@link TimedModel} that two prompts are too much for. */
final class PoisonedModel implements MaskedDiffusionModel {

  /** A row that begins with this id ends the process, as a crash of native code does. */
  static final int CRASH = 7;

  /** A row that begins with this id takes more memory than there is. */
  static final int HUNGER = 8;

  /** What the system's killer of processes leaves. */
  private static final int KILLED = 137;

  private final MaskedDiffusionModel model;

  private PoisonedModel(MaskedDiffusionModel model) {
    this.model = model;
  }

  /** Where executors get it from. Serialised: yes. */
  record Source() implements ModelSource, Serializable {

    @Override
    public String name() {
      return "poisoned";
    }

    @Override
    public Loaded load(TorchDevice device) {
      Loaded timed = new TimedModel.Source(0, "").load(device);
      return new Loaded(timed.tokenizer(), new PoisonedModel(timed.model()));
    }
  }

  @Override
  public ModelSpec spec() {
    return model.spec();
  }

  @Override
  public List<Proposals> propose(List<RowPass> rows) {
    for (RowPass row : rows) {
      if (row.pass().token(0) == CRASH) {
        Runtime.getRuntime().halt(KILLED);
      }
      if (row.pass().token(0) == HUNGER) {
        throw new OutOfMemoryError("too much for the test");
      }
    }
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
