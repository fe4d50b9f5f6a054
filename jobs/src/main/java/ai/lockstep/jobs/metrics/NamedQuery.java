package ai.lockstep.jobs.metrics;

import ai.lockstep.jobs.run.PackagedFile;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A query that ships as a .sql file of this package and reads views named like the tables. The file
 * begins with what it answers.
 */
public enum NamedQuery {
  /**
   * Accuracy under parallelism (AUP), one row a decoder (its name and mode).
   *
   * <p>For points of speed {@code s} (tokens per pass) and accuracy {@code y} (pass@1 plus in
   * percent), slowest first: {@code s1*y1 + sum over i >= 2 of (s_i - s_{i-1}) * (y_i*W(y_i) +
   * y_{i-1}*W(y_{i-1})) / 2}, where {@code W(y) = min(exp(-3 * (1 - y/y_max)), 1)}, {@code y_max}
   * is the best accuracy of all decoders, and points with {@code y < y1 - 5} are left out. One
   * point gives {@code s1*y1}. The unit is percent times tokens a pass, 0 and above.
   *
   * <p>Source: d3LLM (arXiv 2601.07568) and its AUP_leaderboard/aup_utils.py. Deliberate
   * differences: {@code y_max} is taken over the run, as no others are known; a curve whose fastest
   * point is more than 5 points below the slowest is cut there instead of refused. AUPs of two runs
   * compare only when their {@code y_max} is about the same.
   */
  AUP("accuracy under parallelism: the area under pass@1 over tokens per pass"),
  /** What passes that target each block commit. */
  BY_BLOCK("what the passes that target each block commit"),
  /** What decoding cost and gave, one row a configuration. */
  DECODING("what decoding cost and gave"),
  /** Rows without an answer. */
  EMPTY_ANSWERS("rows whose answer is empty, with what was reasoned"),
  /** Whether faster rows fail more often. */
  FILL_RATE_VS_PASS("whether rows that were filled faster fail more often"),
  /** Commits that met no threshold. */
  FORCED_COMMITS("commits that met no threshold, in right and in wrong samples"),
  /** Speed against quality. */
  FRONTIER("tokens per pass against pass@1, and who is on the frontier"),
  /** How far pass@1 moves by chance. */
  SEED_VARIANCE("how far pass@1 moves from seed to seed and from sample to sample"),
  /** Samples and passes of every task. */
  VERDICTS("samples and passes of every task"),
  /** The tasks that the fewest samples solve. */
  WORST_TASKS("the tasks that the fewest samples solve");

  private final String meaning;

  NamedQuery(String meaning) {
    this.meaning = meaning;
  }

  /** The query spelt so. */
  public static Optional<NamedQuery> named(String spelling) {
    return Arrays.stream(values()).filter(query -> query.spelling().equals(spelling)).findFirst();
  }

  /** One line a query for a help text: its name and what it answers. */
  public static List<String> help() {
    return Arrays.stream(values())
        .map(query -> "  %-18s %s".formatted(query.spelling(), query.meaning))
        .toList();
  }

  /** The name on the command line and of the file. */
  public String spelling() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The file's text. */
  public String sql() {
    return PackagedFile.text(NamedQuery.class, spelling() + ".sql");
  }
}
