package ai.lockstep.jobs.metrics;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** A query that ships as a .sql file of this package and reads views named like the tables. */
public enum NamedQuery {
  /** What decoding cost and gave, one row a configuration. Reads completions. */
  DECODING("decoding"),
  /** Samples and passes of every task. Reads scores. */
  VERDICTS("verdicts");

  private final String fileName;

  NamedQuery(String name) {
    this.fileName = name + ".sql";
  }

  /** The file's text. */
  public String sql() {
    try (InputStream in = NamedQuery.class.getResourceAsStream(fileName)) {
      if (in == null) {
        throw new IllegalStateException("No resource " + fileName);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
