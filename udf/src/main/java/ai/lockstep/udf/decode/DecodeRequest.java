package ai.lockstep.udf.decode;

/**
 * One row to decode.
 *
 * @param id names the row in results and errors
 * @param promptIds the prompt's ids, no padding
 * @param seed with {@code taskKey} and {@code sampleIndex} keys the random numbers, so that a
 *     result depends neither on batch mates nor on partitioning
 * @param taskKey the task's id, or the prompt's id
 * @param sampleIndex number of the sample within its task, from 0
 */
public record DecodeRequest(
    String id, int[] promptIds, long seed, String taskKey, int sampleIndex) {

  public DecodeRequest {
    promptIds = promptIds.clone();
  }

  @Override
  public int[] promptIds() {
    return promptIds.clone();
  }
}
