package ai.lockstep.udf.decode;

/**
 * A commit that a later one at the same position replaced: by an end token's fill, or by a hook.
 *
 * @param index counted from the end of the prompt
 * @param token what stood there until then
 * @param nfe the pass that had committed it
 */
public record Overwritten(int index, int token, int nfe) {}
