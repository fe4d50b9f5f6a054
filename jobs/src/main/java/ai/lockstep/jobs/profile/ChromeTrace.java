package ai.lockstep.jobs.profile;

import ai.lockstep.udf.spark.GpuSampler;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;

/**
 * A run as a Chrome trace, for Perfetto or {@code chrome://tracing}: the stages, a process for each
 * replica whose lanes are the rows it held at once, and the GPUs' use as counters. The format is
 * the Trace Event Format's JSON object: complete events ({@code ph=X}), counters ({@code ph=C}) and
 * names ({@code ph=M}), times in microseconds since 1970.
 */
public final class ChromeTrace implements AutoCloseable {

  private static final int DRIVER = 0;

  /** Replicas are numbered from here. */
  private static final int FIRST_REPLICA = 1;

  private final JsonGenerator json;
  private final Map<String, Integer> processes = new HashMap<>();
  private final Map<Integer, List<Long>> lanes = new HashMap<>();

  /** Starts a file; the stream is the caller's to close. */
  public ChromeTrace(OutputStream out) throws IOException {
    json = new JsonFactory().disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET).createGenerator(out);
    json.writeStartObject();
    json.writeStringField("displayTimeUnit", "ms");
    json.writeArrayFieldStart("traceEvents");
    name(DRIVER, "driver");
  }

  /** A stage of the driver. */
  public void stage(String name, ConfigurationProfile.Span span) throws IOException {
    begin(name, "stage", DRIVER, 0, micros(span.from()), micros(span.to()));
    json.writeEndObject();
  }

  /**
   * Rows of {@code completions} of one configuration.
   *
   * @param rows ascending by {@code started_at}; read one by one
   */
  public void rows(String label, Iterator<Row> rows) throws IOException {
    while (rows.hasNext()) {
      Row row = rows.next();
      int process = process(row.getAs("replica"));
      long from = micros(row.<Timestamp>getAs("started_at").toInstant());
      long to = micros(row.<Timestamp>getAs("finished_at").toInstant());
      begin(
          row.<String>getAs("task_id") + "#" + row.<Integer>getAs("sample_index"),
          "row",
          process,
          lane(process, from, to),
          from,
          to);
      json.writeObjectFieldStart("args");
      json.writeStringField("config", label);
      json.writeNumberField("passes", row.<Integer>getAs("nfe"));
      json.writeNumberField("model_us", row.<Long>getAs("wall_micros"));
      json.writeNumberField(
          "committed", row.<Integer>getAs("committed_r") + row.<Integer>getAs("committed_a"));
      json.writeEndObject();
      json.writeEndObject();
    }
  }

  /** What the GPUs did. */
  public void gpus(List<GpuSampler.Sample> samples) throws IOException {
    for (GpuSampler.Sample sample : samples) {
      counter(sample, "utilisation %", sample.utilizationPercent());
      counter(sample, "memory MiB", sample.memoryUsedMebibytes());
    }
  }

  private void counter(GpuSampler.Sample sample, String what, double value) throws IOException {
    if (Double.isNaN(value)) {
      return;
    }
    json.writeStartObject();
    json.writeStringField("name", "gpu " + sample.address() + " " + what);
    json.writeStringField("ph", "C");
    json.writeNumberField("pid", DRIVER);
    json.writeNumberField("ts", micros(sample.at()));
    json.writeObjectFieldStart("args");
    json.writeNumberField("value", value);
    json.writeEndObject();
    json.writeEndObject();
  }

  private void begin(String name, String category, int process, int lane, long from, long to)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("name", name);
    json.writeStringField("cat", category);
    json.writeStringField("ph", "X");
    json.writeNumberField("pid", process);
    json.writeNumberField("tid", lane);
    json.writeNumberField("ts", from);
    json.writeNumberField("dur", to - from);
  }

  private int process(String replica) throws IOException {
    Integer known = processes.get(replica);
    if (known != null) {
      return known;
    }
    int process = FIRST_REPLICA + processes.size();
    processes.put(replica, process);
    name(process, "replica " + replica);
    return process;
  }

  private void name(int process, String name) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", "process_name");
    json.writeStringField("ph", "M");
    json.writeNumberField("pid", process);
    json.writeObjectFieldStart("args");
    json.writeStringField("name", name);
    json.writeEndObject();
    json.writeEndObject();
  }

  /** The first lane that is free: events of one lane must not overlap. */
  private int lane(int process, long from, long to) {
    List<Long> ends = lanes.computeIfAbsent(process, key -> new ArrayList<>());
    for (int lane = 0; lane < ends.size(); lane++) {
      if (ends.get(lane) <= from) {
        ends.set(lane, to);
        return lane;
      }
    }
    ends.add(to);
    return ends.size() - 1;
  }

  private static long micros(Instant instant) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
  }

  @Override
  public void close() throws IOException {
    json.writeEndArray();
    json.writeEndObject();
    json.close();
  }
}
