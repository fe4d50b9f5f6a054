package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.lockstep.udf.golden.Golden;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** One case of a golden decode file: what the Python reference did, forward by forward. */
final class GoldenTrace {

  private static final float SCORE_TOLERANCE = 2e-4f;

  private final JsonNode golden;

  private GoldenTrace(JsonNode golden) {
    this.golden = golden;
  }

  /** The cases of a file. */
  static Stream<GoldenTrace> of(String file) {
    return StreamSupport.stream(Golden.json(file).get("cases").spliterator(), false)
        .map(GoldenTrace::new);
  }

  /** Its settings as they were given to the reference. */
  JsonNode settings() {
    return golden.get("settings");
  }

  /** Anything else of the case. */
  JsonNode get(String key) {
    return golden.get(key);
  }

  int rows() {
    return golden.get("prompt_ids").size();
  }

  /** A row's prompt without the reference's left padding, to which our rows are not subject. */
  int[] prompt(int row) {
    int[] padded = Golden.ints(golden.get("prompt_ids").get(row));
    return Arrays.copyOfRange(padded, padding(row), padded.length);
  }

  private int padding(int row) {
    JsonNode mask = golden.get("attention_mask");
    return mask.isNull()
        ? 0
        : (int) Arrays.stream(Golden.ints(mask.get(row))).filter(real -> real == 0).count();
  }

  DecodeRequest request(int row) {
    return new DecodeRequest("row " + row, prompt(row), 0, "row", row);
  }

  /** What the reference committed in a row; a tokens hook's writes are no commits. */
  private List<JsonNode> commits(JsonNode step, int row) {
    return StreamSupport.stream(step.get("commits").spliterator(), false)
        .filter(commit -> commit.get("row").asInt() == row)
        .filter(commit -> !commit.get("score").isNull() || kind(commit).equals("eos_fill"))
        .sorted(Comparator.comparingInt(commit -> commit.get("pos").asInt()))
        .toList();
  }

  private static String kind(JsonNode commit) {
    return commit.path("kind").asText();
  }

  /** Token for token, with scores, and the whole sequence at the end. */
  void assertCommits(int row, Completion completion) {
    List<String> expected = new ArrayList<>();
    List<JsonNode> references = new ArrayList<>();
    for (JsonNode step : golden.get("steps")) {
      for (JsonNode commit : commits(step, row)) {
        references.add(commit);
        expected.add("%d at %d".formatted(commit.get("token").asInt(), commit.get("pos").asInt()));
      }
    }
    List<Commit> commits =
        completion.commits().stream().filter(c -> c.kind() != CommitKind.HOOK).toList();
    assertThat(commits)
        .as("commits of row %d", row)
        .map(commit -> "%d at %d".formatted(commit.token(), commit.position() + padding(row)))
        .containsExactlyElementsOf(expected);
    for (int i = 0; i < commits.size(); i++) {
      Commit commit = commits.get(i);
      JsonNode reference = references.get(i);
      if (commit.kind() != CommitKind.EOS_FILL) {
        assertThat(commit.score())
            .as("score of %s", commit)
            .isCloseTo((float) reference.get("score").asDouble(), within(SCORE_TOLERANCE));
        assertThat(commit.p())
            .as("p of %s", commit)
            .isCloseTo((float) reference.get("p").asDouble(), within(SCORE_TOLERANCE));
      }
      if (reference.has("block") && reference.get("block").isTextual()) {
        assertThat(commit.kind().spelling()).isEqualTo(kind(reference));
        assertThat(commit.block()).isEqualTo(reference.get("block").asText());
      }
    }
    int[] sequence = Golden.ints(golden.get("final").get(row));
    assertThat(completion.tokenIds())
        .containsExactly(
            Arrays.copyOfRange(
                sequence, golden.get("prompt_ids").get(row).size(), sequence.length));
  }

  /** Forward for forward: the row took part in every one and committed in the same ones. */
  void assertPasses(int row, Completion completion) {
    JsonNode steps = golden.get("steps");
    assertThat(completion.nfe()).isEqualTo(golden.get("nfe").asInt());
    int[] expected =
        IntStream.range(0, steps.size())
            .flatMap(
                nfe -> IntStream.generate(() -> nfe).limit(commits(steps.get(nfe), row).size()))
            .toArray();
    assertThat(completion.commits().stream().filter(c -> c.kind() != CommitKind.HOOK))
        .map(Commit::nfe)
        .containsExactly(Arrays.stream(expected).boxed().toArray(Integer[]::new));
  }

  @Override
  public String toString() {
    return golden.get("name").asText();
  }
}
