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
 * pass reads the active block, {@code halo} positions on either side of it, the positions whose
 * output predicts a target, and every token that changed since the model last read it; the rest of
 * the row is remembered ({@link CacheMode#DUAL}), or what stands before the active block is ({@link
 * CacheMode#PREFIX}). So no pass attends to the key of a mask that is a token by now, and
 * Gauss-Seidel's A does see what R committed in the same sweep. Stale are the remembered entries of
 * unchanged tokens: prompt, markers, and the other block's masks and earlier commits. A full pass
 * refreshes them when a row starts, when a block is finished, and once 32 tokens were filled since
 * the last full pass.
 *
 * <p>Deterministic in (settings, request, model); independent of batch mates. Cost: at most 2 S
 * passes.
 */
public final class LockstepDecoder implements Decoder {

  /** Fast-dLLM's published block length: as many tokens as its cache outlives. */
  private static final int REFRESH_TOKENS = 32;

  private final LockstepSettings settings;
  private final Markers markers;

  public LockstepDecoder(LockstepSettings settings, Markers markers) {
    this.settings = settings;
    this.markers = markers;
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
    ProposalSettings proposals = settings.proposals();
    Canvas canvas =
        Canvas.forPrompt(
            request, spec, proposals.alignment(spec), room, "decode.r_length or decode.a_length");
    canvas.appendContext(rOpen);
    Block r = canvas.appendBlock("R", settings.rLength());
    canvas.appendContext(aOpen);
    Block a = canvas.appendBlock("A", settings.aLength());
    Sweeps sweeps = new Sweeps(r, a, EndToken.of(settings.eosIds(), spec));

    return new Row(request, canvas, sweeps, proposals, Uniforms.of(request), spec, canvas.length());
  }

  /** A block and how fast it is filled. */
  private record Filling(Block block, Schedule schedule) {}

  /** One row's sweeps. */
  private final class Sweeps implements Algorithm {

    private final Block a;
    private final EndToken endToken;
    private final CachePlan cache = new CachePlan(settings.cache());

    /** The blocks each pass of a sweep may commit in. */
    private final List<List<Filling>> phases;

    private int sweep;
    private int phase;
    private List<Filling> active = List.of();
    private int stage;
    private int openBlocks;
    private int masksAtRefresh;

    Sweeps(Block r, Block a, EndToken endToken) {
      this.a = a;
      this.endToken = endToken;
      Filling reasoning = new Filling(r, schedule(settings.tauR()));
      Filling answer = new Filling(a, schedule(settings.tauA()));
      this.phases =
          settings.mode() == LockstepMode.JACOBI
              ? List.of(List.of(reasoning, answer))
              : List.of(List.of(reasoning), List.of(answer));
    }

    private Schedule schedule(double tau) {
      return Schedule.sweeps(settings.budget(), tau, settings.maxFillFrac());
    }

    @Override
    public Score score() {
      return settings.alg();
    }

    @Override
    public Optional<Step> propose(Canvas canvas) {
      for (; sweep < settings.budget() && canvas.hasMasks(); sweep++, phase = 0) {
        for (; phase < phases.size(); phase++) {
          active = phases.get(phase).stream().filter(f -> canvas.hasMasks(f.block)).toList();
          if (!active.isEmpty()) {
            List<Block> blocks = active.stream().map(Filling::block).toList();
            return Optional.of(new Step(sweep + 1, names(blocks), pass(canvas, blocks)));
          }
        }
      }

      return Optional.empty();
    }

    private Pass pass(Canvas canvas, List<Block> blocks) {
      int[] targets = canvas.masks(blocks);
      int from = blocks.get(0).start() - settings.halo();
      from = Math.max(0, Math.min(from, canvas.source(targets[0])));
      int to = blocks.get(blocks.size() - 1).end() + settings.halo();

      return cache.pass(canvas, stage(canvas), from, Math.min(to, canvas.length()), targets);
    }

    private int stage(Canvas canvas) {
      int open = (int) canvas.blocks().stream().filter(canvas::hasMasks).count();
      int masks = canvas.masks(canvas.blocks()).length;
      if (open != openBlocks || masksAtRefresh - masks >= REFRESH_TOKENS) {
        stage++;
        openBlocks = open;
        masksAtRefresh = masks;
      }

      return stage;
    }

    @Override
    public List<Accepted> accept(Canvas canvas, Candidates candidates) {
      Candidates ranked = candidates.scoredBy(settings.alg());
      List<Accepted> accepted = new ArrayList<>();
      for (Filling filling : active) {
        Candidates proposed = ranked.within(filling.block);
        CommitRule rule = filling.schedule.rule(sweep, proposed.size()).orElseThrow();
        accepted.addAll(rule.accept(proposed));
      }
      phase++;
      boolean answered = active.stream().anyMatch(filling -> filling.block.equals(a));

      return answered ? endToken.fill(canvas, a, accepted) : accepted;
    }
  }

  private static String names(List<Block> blocks) {
    return blocks.stream().map(Block::name).collect(Collectors.joining("+"));
  }
}
