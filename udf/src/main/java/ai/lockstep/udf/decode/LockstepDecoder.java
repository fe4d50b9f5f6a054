package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Lockstep R/A decoding: a reasoning block R and an answer block A are filled together, sweep by
 * sweep, so that each conditions the other while both are still open.
 *
 * <p>Layout: {@code prompt + r_open + R + a_open + A}; the markers stay.
 *
 * <p><b>Sweep.</b> {@link LockstepMode#GAUSS_SEIDEL}: a pass commits in R, then another pass on the
 * updated row commits in A. {@link LockstepMode#JACOBI}: one pass commits in both. A block without
 * masks is left out.
 *
 * <p><b>Commit rule</b>, per block with m masks in sweep s of at most S:
 *
 * <ol>
 *   <li>need = max(1, ceil(m / (S - s + 1))): at least one, and the last sweep commits all;
 *   <li>cap = max(need, min(m, max(1, ceil(max_fill_frac m))));
 *   <li>accept the {@code cap} best-scored positions with p &gt;= tau ({@link
 *       CommitKind#THRESHOLD});
 *   <li>if fewer than {@code need}, the best of the rest too ({@link CommitKind#FORCED});
 *   <li>in A, everything behind the first end token becomes end tokens ({@link
 *       CommitKind#EOS_FILL}).
 * </ol>
 *
 * <p><b>Caches.</b> With {@link CacheMode#NONE} every pass reads the whole row: exact. Otherwise a
 * pass reads a window around the active block and remembers the rest of the row. The window is the
 * active block, {@code halo} positions on either side of it (with {@link CacheMode#PREFIX},
 * everything up to the row's end), the positions whose output predicts a target, <i>and every token
 * that changed since the model last read it</i>. So no pass attends to the key of a mask that is a
 * token by now, and Gauss-Seidel's A does see what R committed in the same sweep. What is stale:
 * the remembered keys, values and hidden states of unchanged tokens, which were computed while
 * other positions were still masked. A full pass refreshes them when a row starts and whenever a
 * block is finished.
 *
 * <p>Deterministic in (settings, request, model); independent of batch mates. Cost: at most 2 S
 * passes.
 */
public final class LockstepDecoder implements Decoder {

  /** Below this a product with {@code max_fill_frac} counts as rounding, not as a position. */
  private static final double ROUNDING = 1e-9;

  private final LockstepSettings settings;
  private final Markers markers;
  private final Hooks hooks;

  public LockstepDecoder(LockstepSettings settings, Markers markers) {
    this(settings, markers, Hooks.NONE);
  }

  public LockstepDecoder(LockstepSettings settings, Markers markers, Hooks hooks) {
    this.settings = settings;
    this.markers = markers;
    this.hooks = hooks;
  }

  @Override
  public boolean usesCache() {
    return settings.cache() != CacheMode.NONE;
  }

  @Override
  public RowDecoder start(DecodeRequest request, ModelSpec spec) {
    int[] rOpen = markers.rOpen();
    int[] aOpen = markers.aOpen();
    int room = rOpen.length + settings.rLength() + aOpen.length + settings.aLength();
    Canvas canvas =
        Canvas.forPrompt(
            request, spec, spec.alignment(), room, "decode.r_length or decode.a_length");
    canvas.appendContext(rOpen);
    Block r = canvas.appendBlock("R", settings.rLength());
    canvas.appendContext(aOpen);
    Block a = canvas.appendBlock("A", settings.aLength());

    Sweeps sweeps = new Sweeps(r, a, EndToken.of(settings.eosIds(), spec));
    return new Row(request, canvas, sweeps, settings.sampling(), hooks, spec, canvas.length());
  }

  /** One row's sweeps. */
  private final class Sweeps implements Algorithm {

    private final Block a;
    private final EndToken endToken;

    /** The blocks each pass of a sweep may commit in. */
    private final List<List<Block>> phases;

    private int sweep = 1;
    private int phase;
    private List<Block> active = List.of();
    private int openBlocksAtRefresh = -1;

    Sweeps(Block r, Block a, EndToken endToken) {
      this.a = a;
      this.endToken = endToken;
      this.phases =
          settings.mode() == LockstepMode.JACOBI
              ? List.of(List.of(r, a))
              : List.of(List.of(r), List.of(a));
    }

    @Override
    public Optional<Step> propose(Canvas canvas) {
      if (openBlocks(canvas) == 0) {
        return Optional.empty();
      }
      for (; sweep <= settings.budget(); sweep++) {
        for (; phase < phases.size(); phase++) {
          active = phases.get(phase).stream().filter(canvas::hasMasks).toList();
          if (!active.isEmpty()) {
            return Optional.of(new Step(sweep, names(active), pass(canvas)));
          }
        }
        phase = 0;
      }

      return Optional.empty();
    }

    private Pass pass(Canvas canvas) {
      int[] targets = canvas.masks(active);
      if (settings.cache() == CacheMode.NONE) {
        return canvas.fullPass(targets);
      }
      if (openBlocks(canvas) != openBlocksAtRefresh) {
        openBlocksAtRefresh = openBlocks(canvas);
        return canvas.fullPass(targets);
      }
      int from = active.get(0).start() - settings.halo();
      from = Math.min(from, Math.min(canvas.source(targets[0]), canvas.firstUnread()));
      int to = active.get(active.size() - 1).end() + settings.halo();
      to = settings.cache() == CacheMode.PREFIX ? canvas.length() : to;
      to = Math.min(Math.max(to, canvas.endOfUnread()), canvas.length());

      return canvas.windowPass(Math.max(from, 0), to, targets);
    }

    private int openBlocks(Canvas canvas) {
      return (int) canvas.blocks().stream().filter(canvas::hasMasks).count();
    }

    @Override
    public List<Accepted> accept(Canvas canvas, Candidates candidates) {
      Candidates ranked = candidates.scoredBy(settings.alg());
      List<Accepted> accepted = new ArrayList<>();
      for (Block block : active) {
        Candidates proposed = ranked.within(block);
        accepted.addAll(rule(block, proposed.size()).accept(proposed));
      }
      phase++;

      return active.contains(a) ? endToken.fill(canvas, a, accepted) : accepted;
    }

    private CommitRule rule(Block block, int masks) {
      int sweepsLeft = settings.budget() - sweep + 1;
      int need = Math.max(1, (masks + sweepsLeft - 1) / sweepsLeft);
      double tau = block.equals(a) ? settings.tauA() : settings.tauR();

      return CommitRule.threshold(tau, need, Math.max(need, cap(settings.maxFillFrac(), masks)));
    }
  }

  /** The most positions one pass fills of a block with so many masks, before the budget's need. */
  static int cap(double maxFillFrac, int masks) {
    int share = (int) Math.ceil(maxFillFrac * masks - ROUNDING);

    return Math.min(masks, Math.max(1, share));
  }

  private static String names(List<Block> blocks) {
    return blocks.stream().map(Block::name).collect(Collectors.joining("+"));
  }
}
