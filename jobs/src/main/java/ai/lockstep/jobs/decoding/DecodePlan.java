package ai.lockstep.jobs.decoding;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_set;

import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.tables.CompletionsTable;
import ai.lockstep.jobs.tables.Table;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Which samples are to be decoded: configurations x prompts x samples, minus what is there. Driver
 * only: a bit a sample, and the prompts once.
 *
 * @param parts one for each configuration, in the command's order
 */
public record DecodePlan(List<Part> parts) {

  public DecodePlan {
    parts = List.copyOf(parts);
  }

  /**
   * The samples of one configuration, numbered sample by sample: {@code sample_index} times the
   * number of prompts, plus {@code input_index}.
   *
   * @param prompts in the input's order
   * @param rows all samples that were asked for
   * @param missing numbers of those without a completion; not changed after planning
   */
  public record Part(PlannedRun run, List<Prompt> prompts, int rows, BitSet missing) {

    private static Part of(PlannedRun run, List<Prompt> prompts, SampleRange samples) {
      BitSet asked = new BitSet(Math.multiplyExact(samples.until(), prompts.size()));
      for (int input = 0; input < prompts.size(); input++) {
        if (samples.takes(prompts.get(input))) {
          for (int sample = samples.from(); sample < samples.until(); sample++) {
            asked.set(sample * prompts.size() + input);
          }
        }
      }
      return new Part(run, prompts, asked.cardinality(), asked);
    }

    /** Samples without a completion. */
    public int missingRows() {
      return missing.cardinality();
    }

    /** What is missing in parts of nearly equal size, in order. */
    List<Shard> shards(int count) {
      int rows = missingRows();
      List<Shard> shards = new ArrayList<>(count);
      int number = missing.nextSetBit(0);
      int taken = 0;
      for (int shard = 1; shard <= count; shard++) {
        int end = (int) ((long) rows * shard / count);
        ArrayList<Sample> samples = new ArrayList<>(end - taken);
        for (; taken < end; taken++) {
          int input = number % prompts.size();
          samples.add(new Sample(number / prompts.size(), input, prompts.get(input)));
          number = missing.nextSetBit(number + 1);
        }
        shards.add(new Shard(run.config().configId(), run.json(), samples));
      }
      return shards;
    }
  }

  /** One sample to decode. Serialised: yes. */
  record Sample(int sampleIndex, int inputIndex, Prompt prompt) implements Serializable {}

  /**
   * What one Spark task decodes: samples of one configuration. Serialised: yes.
   *
   * @param config the resolved configuration as JSON
   */
  record Shard(String configId, String config, ArrayList<Sample> samples) implements Serializable {}

  /**
   * Plans. Looks at the keys of rows that are there: files and markers of a killed run prove
   * nothing.
   *
   * @param samples which samples a configuration is asked for
   */
  public static DecodePlan of(
      SparkSession spark,
      List<PlannedRun> runs,
      DecodeInput input,
      Function<RunConfig, SampleRange> samples,
      String outputDir) {
    List<Part> parts = new ArrayList<>();
    Map<String, Part> byConfig = new HashMap<>();
    for (PlannedRun run : runs) {
      Part part = Part.of(run, input.prompts(run.config()), samples.apply(run.config()));
      parts.add(part);
      byConfig.put(run.config().configId(), part);
    }
    List<Prompt> prompts = parts.get(0).prompts;
    Map<String, Integer> inputs = new HashMap<>();
    for (int i = 0; i < prompts.size(); i++) {
      inputs.put(prompts.get(i).id(), i);
    }
    // A row a task, not a row a sample: the driver reads them all.
    Iterator<Row> done =
        CompletionsTable.TABLE
            .read(spark, outputDir)
            .where(col(Table.PARTITION).isin(byConfig.keySet().toArray()))
            .groupBy(Table.PARTITION, "task_id")
            .agg(collect_set("sample_index"))
            .toLocalIterator();
    while (done.hasNext()) {
      Row row = done.next();
      Part part = byConfig.get(row.getString(0));
      Integer place = inputs.get(row.getString(1));
      if (place != null) {
        row.<Integer>getList(2)
            .forEach(sample -> part.missing.clear(sample * part.prompts.size() + place));
      }
    }
    return new DecodePlan(parts);
  }

  /** The configurations that lacked samples when this was planned. */
  public Set<PlannedRun> unfinished() {
    return parts.stream()
        .filter(part -> part.missingRows() > 0)
        .map(Part::run)
        .collect(Collectors.toSet());
  }

  /** Samples without a completion, over all configurations. */
  public int missingRows() {
    return parts.stream().mapToInt(Part::missingRows).sum();
  }
}
