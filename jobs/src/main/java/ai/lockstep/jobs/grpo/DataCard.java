package ai.lockstep.jobs.grpo;

import ai.lockstep.jobs.config.RlConfig;
import ai.lockstep.jobs.run.PlannedRun;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.jobs.tables.Column;
import ai.lockstep.jobs.tables.GrpoTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The README.md of a rollout's folder: what the data are, how they came about, and what to ask
 * them. The text is {@code data_card.md} of this package.
 *
 * @param runId of the folder
 * @param dataset {@code dataset.name}
 * @param model hub name or folder of the checkpoint
 * @param runs its configurations
 * @param quality of the rows
 */
public record DataCard(
    String runId, String dataset, String model, List<PlannedRun> runs, RolloutQuality quality) {

  /** Name of the file. */
  public static final String FILE = "README.md";

  private static final Pattern PLACE = Pattern.compile("%\\((\\w+)\\)");

  /** Writes the card anew. */
  public void write(RunFolder folder) throws IOException {
    folder.write(FILE, text().getBytes(StandardCharsets.UTF_8));
  }

  private String text() {
    boolean dropped = runs.get(0).config().rl().zeroSpread() == RlConfig.ZeroSpread.DROP;
    Map<String, String> values =
        Map.of(
            "model",
            model,
            "dataset",
            dataset,
            "run_id",
            runId,
            "config_id",
            runs.stream().map(run -> run.config().configId()).collect(Collectors.joining(", ")),
            "quality",
            quality.toString(),
            "config",
            runs.stream()
                .map(run -> run.composition().resolvedYaml())
                .collect(Collectors.joining("---\n")),
            "columns",
            columns(),
            "dropped",
            dropped
                ? "Groups whose rewards are all equal are in the table alone (`rl.zero_spread=drop`)."
                : "Groups whose rewards are all equal are in all of them, with advantages of 0 (`rl.zero_spread=keep`).");
    return PLACE
        .matcher(GroupQuery.resource("data_card.md"))
        .replaceAll(place -> Matcher.quoteReplacement(values.get(place.group(1))));
  }

  private static String columns() {
    return GrpoTable.TABLE.columns().stream().map(DataCard::line).collect(Collectors.joining("\n"));
  }

  private static String line(Column column) {
    return "| `%s` | %s | %s | %s |"
        .formatted(
            column.name(),
            column.type().simpleString(),
            column.nullable() ? "yes" : "",
            column.meaning());
  }
}
