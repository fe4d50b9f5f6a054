package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.model.Sampling;
import ai.lockstep.udf.toy.ToyModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class HooksTest {

  private static final Sampling SUPPRESSED = new Sampling(0, 1, Sampling.NO_TOP_K, true);

  private static Completion decode(Hooks hooks, Sampling sampling) {
    ProposalSettings proposals = new ProposalSettings(sampling, Optional.empty(), hooks);
    DreamDecoder decoder =
        new DreamDecoder(4, 2, 0.001, Optional.of(Confidence.ENTROPY), 0, proposals);
    DecodeRequest request = new DecodeRequest("row", new int[] {3, 4, 5}, 0, "row", 0);

    return Decoding.of(decoder, request, new ToyModel()).completion();
  }

  /** Takes no part in anything. */
  public static final class Idle implements TokensHook {
    @Override
    public int[] apply(int step, int[] x, PositionLogits logits) {
      return x;
    }
  }

  /** Cannot be made. */
  public static final class NeedsSomething implements TokensHook {
    public NeedsSomething(String something) {}

    @Override
    public int[] apply(int step, int[] x, PositionLogits logits) {
      return x;
    }
  }

  @Nested
  class Order {

    private final List<String> calls = new ArrayList<>();

    private final class Recording implements TokensHook {
      @Override
      public int[] start(int[] x) {
        calls.add("start " + count(x));
        return x;
      }

      @Override
      public int[] apply(int step, int[] x, PositionLogits logits) {
        calls.add("tokens %d %d".formatted(step, count(x)));
        return x;
      }

      private long count(int[] x) {
        return java.util.Arrays.stream(x).filter(id -> id == ToyModel.MASK).count();
      }
    }

    @Test
    void tokensOnceBeforeThenLogitsBeforeAndTokensAfterEveryPassesCommits() {
      LogitsHook logits =
          (step, x, z) -> {
            calls.add("logits %d %d".formatted(step, z.size()));
            return z;
          };

      decode(new Hooks(Optional.of(logits), Optional.of(new Recording())), SUPPRESSED);

      assertThat(calls)
          .containsExactly("start 4", "logits 0 4", "tokens 0 3", "logits 1 3", "tokens 1 0");
    }
  }

  @Test
  void aLogitsHookCannotBringBackTheMaskAndATokensHookSeesItSuppressed() {
    List<Float> seen = new ArrayList<>();
    LogitsHook mask =
        (step, x, z) -> {
          for (int i = 0; i < z.size(); i++) {
            z.row(i)[ToyModel.MASK] = 99;
          }
          return z;
        };
    TokensHook look =
        (step, x, z) -> {
          seen.add(z.row(0)[ToyModel.MASK]);
          return x;
        };

    Completion completion = decode(new Hooks(Optional.of(mask), Optional.of(look)), SUPPRESSED);

    assertThat(completion.tokenIds()).doesNotContain(ToyModel.MASK);
    assertThat(seen).containsOnly(Float.NEGATIVE_INFINITY);
    assertThat(completion.replayable()).isTrue();
  }

  @Test
  void withoutSuppressionAProposedMaskStaysAMask() {
    LogitsHook mask =
        (step, x, z) -> {
          for (int i = 0; i < z.size(); i++) {
            z.row(i)[ToyModel.MASK] = 99;
          }
          return z;
        };

    Completion completion = decode(new Hooks(Optional.of(mask), Optional.empty()), Sampling.GREEDY);

    assertThat(completion.tokenIds()).containsOnly(ToyModel.MASK);
    assertThat(completion.commits()).isEmpty();
    assertThat(completion.nfe()).isEqualTo(2);
  }

  @Test
  void aTokensHookThatWritesIsInTheTraceAndMakesTheRowUnreplayable() {
    TokensHook write =
        (step, x, z) -> {
          x[x.length - 1] = 7;
          return x;
        };

    Completion completion = decode(new Hooks(Optional.empty(), Optional.of(write)), SUPPRESSED);

    assertThat(completion.tokenIds()[3]).isEqualTo(7);
    assertThat(completion.commits()).anyMatch(commit -> commit.kind() == CommitKind.HOOK);
    assertThat(completion.replayable()).isFalse();
  }

  @Test
  void aTokensHookThatChangesTheLengthFailsTheRow() {
    Hooks hooks = new Hooks(Optional.empty(), Optional.of((step, x, z) -> new int[1]));

    assertThatThrownBy(() -> decode(hooks, SUPPRESSED))
        .hasMessage("Cannot decode row row: its tokens hook returned 1 ids for 7 positions.");
  }

  @Test
  void theExampleMakesRepetitionsRarer() {
    Hooks example =
        Hooks.load(Optional.of(RepetitionPenaltyHook.class.getName()), Optional.empty());
    PositionLogits logits = new PositionLogits(new int[] {1}, new float[][] {{5, 5, 5, 5}});

    PositionLogits hooked = example.logits().orElseThrow().apply(0, new int[] {2, 3, 0}, logits);

    assertThat(hooked.row(0)).containsExactly(3, 5, 3, 5);
  }

  @Nested
  class Loading {

    @Test
    void byClassName() {
      Hooks hooks = Hooks.load(Optional.empty(), Optional.of(Idle.class.getName()));

      assertThat(hooks.tokens().orElseThrow()).isInstanceOf(Idle.class);
      assertThat(hooks.logits()).isEmpty();
    }

    @Test
    void anUnknownClassIsTheUsersMistake() {
      assertThatThrownBy(() -> Hooks.load(Optional.of("no.such.Hook"), Optional.empty()))
          .isInstanceOf(LockstepException.class)
          .hasMessage(
              "Cannot decode with decode.hooks.logits=no.such.Hook: no class of that name is on the class path. Try decode.hooks.logits=null.")
          .extracting(e -> ((LockstepException) e).category())
          .isEqualTo(FailureCategory.USER);
    }

    @Test
    void aHookOfTheOtherKindIsRefused() {
      String name = Idle.class.getName();

      assertThatThrownBy(() -> Hooks.load(Optional.of(name), Optional.empty()))
          .hasMessage(
              "Cannot decode with decode.hooks.logits=%s: the class does not implement ai.lockstep.udf.decode.LogitsHook. Try decode.hooks.logits=null."
                  .formatted(name));
    }

    @Test
    void aClassWithoutAnEmptyConstructorIsRefused() {
      String name = NeedsSomething.class.getName();

      assertThatThrownBy(() -> Hooks.load(Optional.empty(), Optional.of(name)))
          .hasMessage(
              "Cannot decode with decode.hooks.tokens=%s: the class has no working public constructor without parameters. Try decode.hooks.tokens=null."
                  .formatted(name));
    }
  }
}
