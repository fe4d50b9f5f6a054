package ai.lockstep.udf.model;

import java.util.List;

/**
 * What decoding must know of a checkpoint.
 *
 * @param name for people: the hub name or the folder
 * @param vocabSize rows of the output head (152064 for Dream-7B)
 * @param tokenCount ids below this have a token (151667 for Dream-7B); the rest is padding of the
 *     head and is suppressed
 * @param maskId the mask token, from config.json
 * @param padId what pads, from config.json
 * @param eosIds end tokens, the first is the one that fills; at least one
 * @param contextLength the most positions a row may have, prompt included
 * @param alignment where the prediction of a position is read
 */
public record ModelSpec(
    String name,
    int vocabSize,
    int tokenCount,
    int maskId,
    int padId,
    List<Integer> eosIds,
    int contextLength,
    Alignment alignment) {

  public ModelSpec {
    eosIds = List.copyOf(eosIds);
  }

  /** The same model, with predictions read elsewhere. */
  public ModelSpec withAlignment(Alignment other) {
    return new ModelSpec(name, vocabSize, tokenCount, maskId, padId, eosIds, contextLength, other);
  }
}
