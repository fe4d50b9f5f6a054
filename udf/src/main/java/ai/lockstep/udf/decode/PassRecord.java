package ai.lockstep.udf.decode;

/**
 * What one forward pass did to one row.
 *
 * @param nfe 0-based number of the row's pass
 * @param sweep 1-based sweep or step
 * @param blocks names of the targeted blocks joined by {@code +}
 * @param masksBefore masked positions in those blocks before the pass
 * @param committed tokens committed by the pass, eos_fill not counted
 * @param forced how many of those were forced
 * @param meanP mean p of the committed tokens; NaN when none
 * @param wallMicros duration of the batch the pass ran in
 */
public record PassRecord(
    int nfe,
    int sweep,
    String blocks,
    int masksBefore,
    int committed,
    int forced,
    float meanP,
    long wallMicros) {}
