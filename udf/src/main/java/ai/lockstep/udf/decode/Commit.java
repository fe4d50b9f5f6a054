package ai.lockstep.udf.decode;

/**
 * One token that became final.
 *
 * @param nfe 0-based number of the row's forward pass that committed it; -1 when a tokens hook
 *     wrote it before the first pass
 * @param sweep 1-based sweep of lockstep, or the step of other decoders; 0 before the first pass
 * @param position counted from the start of the sequence
 * @param token the id
 * @param p filtered probability of the token; NaN where there is none (eos_fill, hook)
 * @param score ranking confidence; NaN where there is none
 * @param logProbability ln softmax(z)[token] at temperature 1, unfiltered; NaN where there is none
 * @param block name of the block
 * @param kind why
 */
public record Commit(
    int nfe,
    int sweep,
    int position,
    int token,
    float p,
    float score,
    float logProbability,
    String block,
    CommitKind kind) {}
