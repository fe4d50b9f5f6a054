package ai.lockstep.jobs.decoding;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The JSONL form of completions, one object an input line, in the input's order: {@code id}, {@code
 * token_ids}, {@code text}, {@code blocks}, {@code nfe}; {@code error} for a row that failed; and
 * on request {@code trace}, the commits in commit order with positions counted from the start of
 * the sequence.
 */
final class CompletionsFile {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final byte[] NEWLINE = "\n".getBytes(StandardCharsets.UTF_8);

  private CompletionsFile() {}

  /** Streams the rows of one configuration, a partition at a time. */
  static void write(Dataset<Row> completions, OutputStream out) throws IOException {
    Iterator<Row> rows = completions.orderBy("input_index", "sample_index").toLocalIterator();
    while (rows.hasNext()) {
      out.write(JSON.writeValueAsBytes(line(rows.next())));
      out.write(NEWLINE);
    }
  }

  private static ObjectNode line(Row row) {
    ObjectNode line = JSON.createObjectNode();
    line.put("id", row.<String>getAs("task_id"));
    if (row.<Integer>getAs("sample_index") > 0) {
      line.put("sample", row.<Integer>getAs("sample_index"));
    }
    List<Integer> tokens = row.getList(row.fieldIndex("token_ids"));
    ArrayNode ids = line.putArray("token_ids");
    tokens.forEach(ids::add);
    line.put("text", row.<String>getAs("text"));
    ArrayNode blocks = line.putArray("blocks");
    for (Row block : row.<Row>getList(row.fieldIndex("blocks"))) {
      blocks
          .addObject()
          .put("name", block.<String>getAs("name"))
          .put("start", block.<Integer>getAs("start"))
          .put("length", block.<Integer>getAs("length"));
    }
    line.put("nfe", row.<Integer>getAs("nfe"));
    if (row.<String>getAs("error") != null) {
      line.put("error", row.<String>getAs("error"));
    }
    int trace = row.fieldIndex("trace");
    if (!row.isNullAt(trace)) {
      trace(line.putArray("trace"), row.getList(trace));
    }
    return line;
  }

  private static void trace(ArrayNode trace, List<Row> commits) {
    for (Row commit : commits) {
      ObjectNode entry = trace.addObject();
      entry.put("nfe", commit.<Integer>getAs("nfe"));
      entry.put("position", commit.<Integer>getAs("position"));
      entry.put("token", commit.<Integer>getAs("token"));
      entry.put("p", commit.<Float>getAs("p"));
      entry.put("score", commit.<Float>getAs("score"));
      entry.put("block", commit.<String>getAs("block"));
      entry.put("kind", commit.<String>getAs("kind"));
    }
  }
}
