package ai.lockstep.udf.decode;

import java.util.List;
import java.util.Optional;

/**
 * The two decisions in which decoders differ, for one row: what to ask the model next, and which of
 * its proposals to keep. Everything else (writing, tracing, hooks, random draws) is the {@link
 * Row}'s. Called in turn, {@code propose} then {@code accept}, by one thread at a time.
 */
interface Algorithm {

  /** What it ranks candidates by. */
  Score score();

  /** The next pass, or empty when the row is finished. Every pass has at least one target. */
  Optional<Step> propose(Canvas canvas);

  /** The tokens to write, before they are written: the canvas is as the pass saw it. */
  List<Accepted> accept(Canvas canvas, Candidates candidates);
}
