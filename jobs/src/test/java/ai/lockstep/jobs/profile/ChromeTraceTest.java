package ai.lockstep.jobs.profile;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.udf.spark.GpuSampler;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.stream.StreamSupport;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class ChromeTraceTest {

  private static final StructType SCHEMA =
      new StructType()
          .add("task_id", DataTypes.StringType)
          .add("sample_index", DataTypes.IntegerType)
          .add("replica", DataTypes.StringType)
          .add("started_at", DataTypes.TimestampType)
          .add("finished_at", DataTypes.TimestampType)
          .add("nfe", DataTypes.IntegerType)
          .add("wall_micros", DataTypes.LongType)
          .add("committed_r", DataTypes.IntegerType)
          .add("committed_a", DataTypes.IntegerType);

  private static Row row(String task, String replica, long from, long to) {
    return new GenericRowWithSchema(
        new Object[] {task, 0, replica, new Timestamp(from), new Timestamp(to), 9, 40L, 3, 4},
        SCHEMA);
  }

  private static List<String> events(byte[] json) throws IOException {
    JsonNode events = new ObjectMapper().readTree(json).get("traceEvents");
    return StreamSupport.stream(events.spliterator(), false)
        .map(
            event ->
                "%s %s pid=%s tid=%s ts=%s dur=%s %s"
                    .formatted(
                        event.get("ph").asText(),
                        event.get("name").asText(),
                        event.path("pid").asText(),
                        event.path("tid").asText(),
                        event.path("ts").asText(),
                        event.path("dur").asText(),
                        event.path("args")))
        .toList();
  }

  @Test
  void rowsThatOverlapStandInLanesOfTheirReplica() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ChromeTrace trace = new ChromeTrace(out)) {
      trace.stage(
          "decoding x",
          new ConfigurationProfile.Span(Instant.ofEpochMilli(1), Instant.ofEpochMilli(9)));
      trace.rows(
          "x",
          List.of(
                  row("T/0", "a", 1, 4),
                  row("T/1", "a", 2, 5),
                  row("T/2", "a", 4, 6),
                  row("T/3", "b", 4, 6))
              .iterator());
      trace.gpus(List.of(new GpuSampler.Sample(Instant.ofEpochMilli(3), "0", 97, Double.NaN)));
    }

    String args = "{\"config\":\"x\",\"passes\":9,\"model_us\":40,\"committed\":7}";
    assertThat(events(out.toByteArray()))
        .containsExactly(
            "M process_name pid=0 tid= ts= dur= {\"name\":\"driver\"}",
            "X decoding x pid=0 tid=0 ts=1000 dur=8000 ",
            "M process_name pid=1 tid= ts= dur= {\"name\":\"replica a\"}",
            "X T/0#0 pid=1 tid=0 ts=1000 dur=3000 " + args,
            "X T/1#0 pid=1 tid=1 ts=2000 dur=3000 " + args,
            "X T/2#0 pid=1 tid=0 ts=4000 dur=2000 " + args,
            "M process_name pid=2 tid= ts= dur= {\"name\":\"replica b\"}",
            "X T/3#0 pid=2 tid=0 ts=4000 dur=2000 " + args,
            "C gpu 0 utilisation % pid=0 tid= ts=3000 dur= {\"value\":97.0}");
  }
}
