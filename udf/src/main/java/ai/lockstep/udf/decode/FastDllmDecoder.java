package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.ModelSpec;

/**
 * Fast-dLLM: every token the model is sure of at once, in blocks from left to right that reuse keys
 * and values.
 *
 * <p>Source: NVlabs/Fast-dLLM, arXiv 2505.22618; for Dream generation_utils.py (scope global) and
 * generation_utils_block.py (scope block), for LLaDA generate.py (rule factor). A block's first
 * pass reads the whole row and refreshes the cache. Upstream predicts the block's first position
 * from that pass alone and commits it whatever its probability, because under Dream's shift the
 * passes that follow do not see the output it is read at ({@link BlockStartRule#FORCED}); here that
 * output is remembered, so it can also wait for the threshold. Models without a shift need neither.
 *
 * <p>Deliberate differences: the rules work on each row (upstream's thresholds look at row 0), and
 * a block that is filled by its first pass takes no second one. Without a cache every pass reads
 * the whole row and no position is forced.
 *
 * <p>Cost: at most a pass a token.
 *
 * @param maxNewTokens {@code model.generation.max_new_tokens}, a multiple of the block length
 * @param steps {@code model.generation.steps}; of the schedule rule and of the global threshold
 *     (published: 32 tokens a step)
 * @param eps {@code model.generation.eps}: last time of the schedule rule
 * @param scope {@code decode.scope}
 * @param rule {@code decode.rule}
 * @param blockLength {@code decode.block_length}; not used by scope global
 * @param threshold {@code decode.threshold}, of the threshold rule
 * @param factor {@code decode.factor}, of the factor rule
 * @param blockStartRule {@code decode.block_start_rule}; only with a cache
 * @param cache {@code decode.cache}
 * @param proposals how logits become proposals
 */
public record FastDllmDecoder(
    int maxNewTokens,
    int steps,
    double eps,
    Scope scope,
    Rule rule,
    int blockLength,
    double threshold,
    double factor,
    BlockStartRule blockStartRule,
    CacheMode cache,
    ProposalSettings proposals)
    implements Decoder {

  /** Where a pass may commit. */
  public enum Scope {
    /** In the first block that has masks. */
    BLOCK,
    /** In the whole region. */
    GLOBAL
  }

  /** Which tokens a pass commits. */
  public enum Rule {
    /** The most probable one and all with p &gt;= threshold. */
    THRESHOLD,
    /** As many as stay consistent with each other by the paper's Theorem 1. */
    FACTOR,
    /** Dream's schedule in each block, ranked by entropy. */
    SCHEDULE
  }

  /** What happens to a block's first position in the pass that refreshes the cache. */
  public enum BlockStartRule {
    /** It alone is committed, whatever its probability. */
    FORCED,
    /** The rule decides about all of the block's positions. */
    THRESHOLD
  }

  public FastDllmDecoder {
    Setting.requireNewTokens(maxNewTokens);
    if (scope == Scope.BLOCK) {
      Setting.requireBlocks(blockLength, maxNewTokens);
    }
    if (scope == Scope.GLOBAL && cache != CacheMode.NONE) {
      throw Setting.rejected(
          "decode.cache",
          cache.spelling(),
          "decode.scope=global commits anywhere, so no pass can leave positions out",
          "none");
    }
    switch (rule) {
      case THRESHOLD -> {
        Setting.requireThreshold("decode.threshold", threshold, "the acceptance threshold", 0.9);
        if (scope == Scope.GLOBAL) {
          Setting.requireSteps(steps, maxNewTokens);
          if (maxNewTokens % steps != 0) {
            throw Setting.rejected(
                "model.generation.steps",
                steps,
                "it must divide model.generation.max_new_tokens=%d".formatted(maxNewTokens),
                maxNewTokens);
          }
        }
      }
      case FACTOR -> {
        if (!(factor > 0) || Double.isInfinite(factor)) {
          throw Setting.rejected("decode.factor", factor, "the factor must be above 0", 1.0);
        }
      }
      case SCHEDULE -> {
        Setting.requireEps(eps);
        if (scope == Scope.BLOCK) {
          // Upstream leaves a block masked when its only step is the one that refreshes the cache.
          int least = cache == CacheMode.NONE ? 1 : 2;
          Setting.requireStepsOfBlocks(steps, maxNewTokens / blockLength, least);
        } else {
          Setting.requireSteps(steps, maxNewTokens);
        }
      }
    }
  }

  @Override
  public boolean usesCache() {
    return cache != CacheMode.NONE;
  }

  @Override
  public RowDecoder start(DecodeRequest request, ModelSpec spec) {
    Alignment alignment = proposals.alignment(spec);
    Canvas canvas = Canvas.withRegion(request, spec, alignment, maxNewTokens);
    Block region = canvas.blocks().get(0);
    int part = scope == Scope.BLOCK ? blockLength : maxNewTokens;
    Confidence score = rule == Rule.SCHEDULE ? Confidence.ENTROPY : Confidence.MASKGIT_PLUS;
    BlockByBlock blocks = BlockByBlock.parts(region, part, score, schedule(part)).cached(cache);
    if (blockStartRule == BlockStartRule.FORCED && alignment == Alignment.SHIFTED) {
      blocks = blocks.startingWith(startRule());
    }

    return new Row(request, canvas, blocks, proposals, Uniforms.of(request), spec, canvas.length());
  }

  private Schedule schedule(int part) {
    return switch (rule) {
      case THRESHOLD ->
          scope == Scope.GLOBAL
              ? Schedule.quota(part, steps, cap -> CommitRule.threshold(threshold, 1, cap))
              : Schedule.untilFilled(part, CommitRule.threshold(threshold, 1, part));
      case FACTOR -> Schedule.untilFilled(part, CommitRule.factor(factor));
      case SCHEDULE -> Schedule.linear(steps / (maxNewTokens / part), eps, CommitRule::best);
    };
  }

  private CommitRule startRule() {
    return rule == Rule.THRESHOLD ? CommitRule.threshold(threshold, 1, 1) : CommitRule.best(1);
  }
}
