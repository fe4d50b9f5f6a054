package ai.lockstep.jobs.decoding;

import ai.lockstep.udf.decode.CommitKind;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
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

  /** Which lines are written. */
  enum Detail {
    /** Without the trace. */
    PLAIN,
    /** With the trace: {@code decode.trace=true}. */
    TRACE
  }

  private CompletionsFile() {}

  /** Streams the rows of one configuration, a partition at a time. */
  static void write(Dataset<Row> completions, Detail detail, OutputStream out) throws IOException {
    Iterator<Row> rows = completions.orderBy("input_index", "sample_index").toLocalIterator();
    while (rows.hasNext()) {
      out.write(JSON.writeValueAsBytes(line(rows.next(), detail)));
      out.write(NEWLINE);
    }
  }

  private static ObjectNode line(Row row, Detail detail) {
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
    if (detail == Detail.TRACE) {
      trace(line.putArray("trace"), row, tokens);
    }
    return line;
  }

  private static void trace(ArrayNode trace, Row row, List<Integer> tokens) {
    int start = row.getList(row.fieldIndex("prompt_ids")).size();
    List<Short> nfe = row.getList(row.fieldIndex("commit_nfe"));
    List<Byte> kind = row.getList(row.fieldIndex("commit_kind"));
    List<Float> p = row.getList(row.fieldIndex("commit_p"));
    List<Float> score = row.getList(row.fieldIndex("commit_score"));
    List<Row> blocks = row.getList(row.fieldIndex("blocks"));
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      if (kind.get(i) >= 0) {
        order.add(i);
      }
    }
    // The sort is stable: within a pass, ascending position.
    order.sort(Comparator.comparing(nfe::get));
    for (int i : order) {
      ObjectNode commit = trace.addObject();
      commit.put("nfe", nfe.get(i));
      commit.put("position", start + i);
      commit.put("token", tokens.get(i));
      putNumber(commit, "p", p.get(i));
      putNumber(commit, "score", score.get(i));
      commit.put("block", blockAt(blocks, start + i));
      commit.put("kind", CommitKind.values()[kind.get(i)].spelling());
    }
  }

  /** JSON has no NaN: a commit without a probability has null. */
  private static void putNumber(ObjectNode object, String key, float value) {
    if (Float.isNaN(value)) {
      object.putNull(key);
    } else {
      object.put(key, value);
    }
  }

  private static String blockAt(List<Row> blocks, int position) {
    for (Row block : blocks) {
      int start = block.getAs("start");
      int length = block.getAs("length");
      if (start <= position && position < start + length) {
        return block.getAs("name");
      }
    }
    throw new IllegalStateException("Position " + position + " is in no block");
  }
}
