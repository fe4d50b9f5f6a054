package ai.lockstep.jobs.tracking;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.List;

/**
 * A table to be shown.
 *
 * @param columns headings
 * @param rows arrays, each as long as {@code columns}
 */
public record TableData(List<String> columns, List<ArrayNode> rows) {

  public TableData {
    columns = List.copyOf(columns);
    rows = List.copyOf(rows);
  }
}
