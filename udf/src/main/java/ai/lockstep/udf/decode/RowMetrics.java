package ai.lockstep.udf.decode;

import java.util.List;
import java.util.OptionalDouble;

/**
 * What one row's decoding cost and gave.
 *
 * <p>F is the number of passes in which the row had masks in a targeted block, C the number of
 * tokens committed without eos_fill and hooks, L the length of a block; {@code _r} and {@code _a}
 * restrict them to a block. Fill rate = C / (F L).
 *
 * @param nfe F, which is every pass of the row
 * @param nfeR passes that targeted R
 * @param nfeA passes that targeted A, or the only block of decoders with one region
 * @param committedR C of R
 * @param committedA C of A
 * @param lengthR L of R, 0 without R
 * @param lengthA L of A
 * @param tokensR tokens of R before its first end token
 * @param tokensA tokens of A before its first end token
 * @param forcedCommits commits that met no threshold
 * @param forcedPasses passes whose commits were all forced
 * @param eosFilled tokens written because they stand behind an end token
 * @param wallMicros duration of the batches of the row's passes, which it shared with other rows
 * @param arNess in which order the tokens were committed
 */
public record RowMetrics(
    int nfe,
    int nfeR,
    int nfeA,
    int committedR,
    int committedA,
    int lengthR,
    int lengthA,
    int tokensR,
    int tokensA,
    int forcedCommits,
    int forcedPasses,
    int eosFilled,
    long wallMicros,
    ArNess arNess) {

  private static final String R = "R";

  /**
   * Measures a decoded row.
   *
   * @param eosIds ids that end a block's text
   */
  public static RowMetrics of(Completion completion, List<Integer> eosIds) {
    int nfeR = 0;
    int nfeA = 0;
    int forcedPasses = 0;
    for (PassRecord pass : completion.passes()) {
      List<String> blocks = List.of(pass.blocks().split("\\+"));
      nfeR += blocks.contains(R) ? 1 : 0;
      nfeA += blocks.stream().anyMatch(block -> !block.equals(R)) ? 1 : 0;
      forcedPasses += pass.committed() > 0 && pass.forced() == pass.committed() ? 1 : 0;
    }
    List<Commit> chosen = completion.commits().stream().filter(RowMetrics::isChosen).toList();
    int hooked =
        (int) completion.commits().stream().filter(c -> c.kind() == CommitKind.HOOK).count();
    int committedR = (int) chosen.stream().filter(commit -> commit.block().equals(R)).count();
    int forced = (int) chosen.stream().filter(c -> c.kind() == CommitKind.FORCED).count();

    return new RowMetrics(
        completion.nfe(),
        nfeR,
        nfeA,
        committedR,
        chosen.size() - committedR,
        length(completion, true),
        length(completion, false),
        tokens(completion, eosIds, true),
        tokens(completion, eosIds, false),
        forced,
        forcedPasses,
        completion.commits().size() - chosen.size() - hooked,
        completion.passes().stream().mapToLong(PassRecord::wallMicros).sum(),
        ArNess.of(completion));
  }

  /** Whether a token was proposed by the model and accepted by a rule. */
  static boolean isChosen(Commit commit) {
    return commit.kind().isChosenByTheModel();
  }

  private static int length(Completion completion, boolean ofR) {
    return completion.blocks().stream()
        .filter(block -> block.name().equals(R) == ofR)
        .mapToInt(Block::length)
        .sum();
  }

  private static int tokens(Completion completion, List<Integer> eosIds, boolean ofR) {
    int tokens = 0;
    for (Block block : completion.blocks()) {
      if (block.name().equals(R) != ofR) {
        continue;
      }
      for (int id : completion.tokenIds(block)) {
        if (eosIds.contains(id)) {
          return tokens;
        }
        tokens++;
      }
    }
    return tokens;
  }

  private static OptionalDouble share(int part, int whole) {
    return whole == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) part / whole);
  }

  /** C of both blocks. */
  public int committed() {
    return committedR + committedA;
  }

  /** C_R / (F_R L_R); empty when R was never targeted. */
  public OptionalDouble fillRateR() {
    return share(committedR, nfeR * lengthR);
  }

  /** C_A / (F_A L_A); empty when A was never targeted. */
  public OptionalDouble fillRateA() {
    return share(committedA, nfeA * lengthA);
  }

  /** C / (F (L_R + L_A)); empty without a pass. */
  public OptionalDouble fillRate() {
    return share(committed(), nfe * (lengthR + lengthA));
  }

  /** C / F; empty without a pass. */
  public OptionalDouble tokensPerNfe() {
    return share(committed(), nfe);
  }

  /** Whether A has no token before its first end token. */
  public boolean emptyAnswer() {
    return tokensA == 0;
  }
}
