package ai.lockstep.udf.decode;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One region, filled in parts from left to right; every part follows the same schedule. Dream is a
 * single part, LLaDA and Fast-dLLM are several.
 *
 * <p>A part that a schedule leaves unfinished (the model proposed the mask token itself) stays a
 * target of the parts behind it.
 */
final class BlockByBlock implements Algorithm {

  private final Block region;
  private final List<Block> parts;
  private final Score score;
  private final Schedule schedule;
  private final CachePlan cache;
  private final Optional<CommitRule> startRule;

  private CommitRule rule = CommitRule.best(0);
  private int part;
  private int step;
  private int passes;

  private BlockByBlock(
      Block region,
      List<Block> parts,
      Score score,
      Schedule schedule,
      CachePlan cache,
      Optional<CommitRule> startRule) {
    this.region = region;
    this.parts = parts;
    this.score = score;
    this.schedule = schedule;
    this.cache = cache;
    this.startRule = startRule;
  }

  /** The whole region at once, without a cache. */
  static BlockByBlock whole(Block region, Score score, Schedule schedule) {
    return parts(region, region.length(), score, schedule);
  }

  /** Parts of a length that divides the region's, without a cache. */
  static BlockByBlock parts(Block region, int length, Score score, Schedule schedule) {
    return new BlockByBlock(
        region,
        split(region, length),
        score,
        schedule,
        new CachePlan(CacheMode.NONE),
        Optional.empty());
  }

  /** The same with a cache that every part refreshes. */
  BlockByBlock cached(CacheMode mode) {
    return new BlockByBlock(region, parts, score, schedule, new CachePlan(mode), startRule);
  }

  /**
   * The same where a pass that refreshes the cache predicts its part's first position alone; its
   * score is its probability.
   */
  BlockByBlock startingWith(CommitRule ofFirstPosition) {
    return new BlockByBlock(region, parts, score, schedule, cache, Optional.of(ofFirstPosition));
  }

  private static List<Block> split(Block region, int length) {
    List<Block> parts = new ArrayList<>();
    for (int start = region.start(); start < region.end(); start += length) {
      parts.add(new Block(region.name(), start, length));
    }

    return parts;
  }

  @Override
  public Score score() {
    return score;
  }

  @Override
  public Optional<Step> propose(Canvas canvas) {
    for (; part < parts.size(); part++, step = 0) {
      Block active = parts.get(part);
      int[] masks = canvas.masks(region.upTo(active.end()));
      Optional<CommitRule> next =
          masks.length == 0 ? Optional.empty() : schedule.rule(step, masks.length);
      if (next.isPresent()) {
        rule = candidates -> next.get().accept(candidates.scoredBy(score));
        return Optional.of(step(canvas, active, masks));
      }
    }

    return Optional.empty();
  }

  private Step step(Canvas canvas, Block active, int[] masks) {
    int[] targets = masks;
    if (startRule.isPresent() && cache.refreshes(part) && canvas.isMasked(active.start())) {
      rule = startRule.get();
      targets = new int[] {active.start()};
    }

    return new Step(
        passes + 1, region.name(), cache.pass(canvas, part, active.start(), active.end(), targets));
  }

  @Override
  public List<Accepted> accept(Canvas canvas, Candidates candidates) {
    step++;
    passes++;

    return rule.accept(candidates);
  }
}
