package ai.lockstep.jobs.report;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.decoding.LocatedModel;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * The texts of the ids in some samples.
 *
 * @param texts by id
 * @param missing why there are none, when the model's tokenizer is not on this machine
 */
record TokenTexts(Map<Integer, String> texts, Optional<String> missing)
    implements IntFunction<String> {

  /** Asks the tokenizer of a configuration's model. */
  static TokenTexts of(RunConfig config, Set<Integer> ids) {
    Map<Integer, String> texts = new TreeMap<>();
    if (ids.isEmpty()) {
      return new TokenTexts(texts, Optional.empty());
    }
    try (DreamTokenizer tokenizer = DreamTokenizer.open(LocatedModel.of(config).tokenizer())) {
      for (int id : ids) {
        texts.put(id, tokenizer.decode(new int[] {id}));
      }
      return new TokenTexts(texts, Optional.empty());
    } catch (LockstepException e) {
      return new TokenTexts(
          Map.of(),
          Optional.of("Tokens are shown as ids, without their tokenizer. " + e.getMessage()));
    }
  }

  @Override
  public String apply(int id) {
    return texts.getOrDefault(id, "[" + id + "]");
  }
}
