package ai.lockstep.udf.rollout;

import ai.lockstep.udf.decode.Completion;
import ai.lockstep.udf.decode.DecodeRequest;
import ai.lockstep.udf.decode.Decoder;
import ai.lockstep.udf.decode.RowDecoder;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Passes of one row that decode nothing, one after another: so that a replica runs them among the
 * passes of other rows. For one row; its answers may be read once the replica has completed it.
 */
public final class AskedPasses implements Decoder {

  private static final int[] NOTHING = {};

  private final List<Pass> passes;
  private final List<Proposals> answers = new ArrayList<>();

  /**
   * @param passes whole rows of one length, at least one
   */
  public AskedPasses(List<Pass> passes) {
    this.passes = List.copyOf(passes);
  }

  /** One for each pass, in their order. */
  public List<Proposals> answers() {
    return List.copyOf(answers);
  }

  @Override
  public boolean usesCache() {
    return false;
  }

  @Override
  public RowDecoder start(DecodeRequest request, ModelSpec spec) {
    int length = passes.get(0).length();
    if (length > spec.contextLength()) {
      throw new IllegalArgumentException(
          "Cannot estimate %s: its row has %d positions, and the model reads %d"
              .formatted(request.id(), length, spec.contextLength()));
    }
    return new RowDecoder() {

      @Override
      public Optional<Pass> nextPass() {
        return answers.size() < passes.size()
            ? Optional.of(passes.get(answers.size()))
            : Optional.empty();
      }

      @Override
      public void accept(Proposals proposals, long wallMicros) {
        answers.add(proposals);
      }

      @Override
      public int maxLength() {
        return length;
      }

      @Override
      public Completion completion() {
        return new Completion(
            request.id(), request.promptIds(), NOTHING, List.of(), List.of(), List.of(), true);
      }
    };
  }
}
