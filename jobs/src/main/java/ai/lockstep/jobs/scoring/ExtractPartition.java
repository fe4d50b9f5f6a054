package ai.lockstep.jobs.scoring;

import static org.apache.spark.sql.types.DataTypes.BinaryType;
import static org.apache.spark.sql.types.DataTypes.StringType;

import ai.lockstep.datasets.Task;
import ai.lockstep.harness.extract.Sanitizer;
import ai.lockstep.jobs.config.HarnessConfig;
import ai.lockstep.jobs.tables.RowBuilder;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/** Finds the programs of one partition's candidates. Runs on executors; serialised. */
final class ExtractPartition implements MapPartitionsFunction<Row, Row> {

  private static final long serialVersionUID = 1;

  /** A candidate with its program: UTF-16, see {@link ExactText}. */
  static final StructType SCHEMA =
      Candidates.SCHEMA
          .add("program", BinaryType, false)
          .add("program_sha256", StringType, false)
          .add("extraction", StringType, false);

  private final ExecutorSettings settings;
  private final Broadcast<Map<String, Task>> tasks;

  ExtractPartition(ExecutorSettings settings, Broadcast<Map<String, Task>> tasks) {
    this.settings = settings;
    this.tasks = tasks;
  }

  @Override
  public Iterator<Row> call(Iterator<Row> candidates) {
    HarnessConfig config = settings.harness();
    Optional<Sanitizer> sanitizer =
        config.sanitize()
            ? Optional.of(ExecutorHarness.get(config, settings.cores()).harness().sanitizer())
            : Optional.empty();
    ProgramText programs = new ProgramText(sanitizer);
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return candidates.hasNext();
      }

      @Override
      public Row next() {
        return extract(candidates.next(), programs);
      }
    };
  }

  private Row extract(Row candidate, ProgramText programs) {
    Task task = tasks.value().get(candidate.<String>getAs("task_id"));
    ProgramText.Program program =
        programs.of(
            task,
            Candidates.Form.valueOf(candidate.getAs("form")),
            candidate.getAs("opening"),
            ExactText.of(candidate.getAs("text")));
    RowBuilder row = new RowBuilder(SCHEMA);
    for (String column : Candidates.SCHEMA.fieldNames()) {
      row.set(column, candidate.getAs(column));
    }
    return row.set("program", ExactText.bytes(program.text()))
        .set("program_sha256", ExactText.sha256(program.text()))
        .set("extraction", program.extraction())
        .build();
  }
}
