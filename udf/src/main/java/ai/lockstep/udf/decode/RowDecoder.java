package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import java.util.Optional;

/**
 * One row being decoded. The caller repeats: take the next pass, run it on the model (alone or with
 * the passes of other rows), hand the proposals back. Used by one thread at a time.
 */
public interface RowDecoder {

  /** The pass the row needs next; empty when it is finished. Asking twice gives the same pass. */
  Optional<Pass> nextPass();

  /**
   * Commits tokens from the answer to {@link #nextPass}.
   *
   * @param wallMicros duration of the batch the pass ran in, for the trace
   */
  void accept(Proposals proposals, long wallMicros);

  /** The most positions the row will ever have: what its cache slot must hold. */
  int maxLength();

  /** What was decoded. Only when {@link #nextPass} is empty. */
  Completion completion();
}
