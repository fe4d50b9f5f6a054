package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * D2F: a pipeline of blocks under a block-causal mask. A new block starts while the ones before it
 * are still being filled; since no block sees a later one, a finished block's keys and values never
 * change and are remembered exactly.
 *
 * <p>Each pass, in this order:
 *
 * <ol>
 *   <li>a block is appended once the last one is filled to {@code block_add_threshold}, unless an
 *       end token was committed or the region is full;
 *   <li>a block becomes <i>full</i> once the one before it is filled to {@code
 *       decoded_token_threshold}; the first is full at once;
 *   <li>in every block, tokens with p &gt; {@code skip_threshold} are committed; a full block where
 *       there is none commits its best;
 *   <li>blocks that are filled, and all blocks before them, are read once more and then remembered.
 * </ol>
 *
 * <p>Source: zhijie-group/Discrete-Diffusion-Forcing, arXiv 2508.09192. Needs weights trained with
 * this mask (a LoRA adapter, {@code model.adapter}); on others the mask is off-distribution. Cost:
 * at most a pass a token.
 *
 * @param maxNewTokens {@code model.generation.max_new_tokens}; a remainder smaller than a block is
 *     not used
 * @param blockLength {@code decode.block_length}
 * @param blockAddThreshold {@code decode.block_add_threshold}: share of the last block, in [0, 1]
 * @param decodedTokenThreshold {@code decode.decoded_token_threshold}: share of the block before,
 *     in [0, 1]
 * @param skipThreshold {@code decode.skip_threshold}: probability, strict, in (0, 1]
 * @param samplingStrategy {@code decode.sampling_strategy}: what the best token of a block is best
 *     by
 * @param eosIds {@code model.generation.eos_token_ids}: ids after which no block is appended; empty
 *     for the checkpoint's own
 * @param cache {@code decode.cache}: {@link CacheMode#PREFIX} or {@link CacheMode#NONE}, which give
 *     the same tokens
 * @param proposals how logits become proposals
 */
public record D2fDecoder(
    int maxNewTokens,
    int blockLength,
    double blockAddThreshold,
    double decodedTokenThreshold,
    double skipThreshold,
    SamplingStrategy samplingStrategy,
    List<Integer> eosIds,
    CacheMode cache,
    ProposalSettings proposals)
    implements Decoder {

  /** Upstream's names of the confidences. */
  public enum SamplingStrategy {
    /** The token's probability. */
    DEFAULT(Confidence.MASKGIT_PLUS),
    /** Negative entropy. */
    NEG_ENTROPY(Confidence.ENTROPY),
    /** Distance of the two largest probabilities. */
    MARGIN_CONFIDENCE(Confidence.TOPK_MARGIN);

    private final Confidence confidence;

    SamplingStrategy(Confidence confidence) {
      this.confidence = confidence;
    }
  }

  public D2fDecoder {
    Setting.requireNewTokens(maxNewTokens);
    if (blockLength < 1 || blockLength > maxNewTokens) {
      throw Setting.rejected(
          "decode.block_length",
          blockLength,
          "it must lie in 1..%d, the model.generation.max_new_tokens".formatted(maxNewTokens),
          Math.min(32, maxNewTokens));
    }
    requireShare("decode.block_add_threshold", blockAddThreshold, 0.1);
    requireShare("decode.decoded_token_threshold", decodedTokenThreshold, 0.95);
    Setting.requireThreshold("decode.skip_threshold", skipThreshold, "the threshold", 0.9);
    if (cache == CacheMode.DUAL) {
      throw Setting.rejected(
          "decode.cache",
          cache.spelling(),
          "blocks never see later ones, so there is nothing behind a block to remember",
          "prefix");
    }
    eosIds = List.copyOf(eosIds);
  }

  private static void requireShare(String key, double value, double suggestion) {
    if (!(value >= 0 && value <= 1)) {
      throw Setting.rejected(key, value, "the share of a block must lie in [0, 1]", suggestion);
    }
  }

  @Override
  public boolean usesCache() {
    return cache != CacheMode.NONE;
  }

  @Override
  public RowDecoder start(DecodeRequest request, ModelSpec spec) {
    int most = maxNewTokens / blockLength;
    Canvas canvas =
        Canvas.forPrompt(
            request,
            spec,
            proposals.alignment(spec),
            most * blockLength,
            "model.generation.max_new_tokens");
    canvas.appendBlock("A", 0);
    Pipeline pipeline = new Pipeline(most, canvas.length(), EndToken.of(eosIds, spec));
    int maxLength = canvas.length() + most * blockLength;

    return new Row(request, canvas, pipeline, proposals, Uniforms.of(request), spec, maxLength);
  }

  /** One row's blocks. */
  private final class Pipeline implements Algorithm {

    private final int mostBlocks;
    private final int promptLength;
    private final EndToken endToken;
    private final List<Stage> stages = new ArrayList<>();

    /** Positions before this need not be read again. */
    private int remembered;

    private boolean endSeen;
    private int passes;

    Pipeline(int mostBlocks, int promptLength, EndToken endToken) {
      this.mostBlocks = mostBlocks;
      this.promptLength = promptLength;
      this.endToken = endToken;
    }

    @Override
    public Score score() {
      return samplingStrategy.confidence;
    }

    @Override
    public Optional<Step> propose(Canvas canvas) {
      appendStage(canvas);
      fillUp(canvas);
      int[] targets = canvas.masks(stages.stream().map(stage -> stage.span).toList());
      // Every pass commits a token, unless the model proposes masks: that would never end.
      if (targets.length == 0 || passes == mostBlocks * blockLength) {
        return Optional.empty();
      }

      return Optional.of(new Step(passes + 1, "A", pass(canvas, targets)));
    }

    private void appendStage(Canvas canvas) {
      double filled = stages.isEmpty() ? 1 : last().filled(canvas);
      if (stages.size() < mostBlocks && !endSeen && filled >= blockAddThreshold) {
        stages.add(new Stage(canvas.extendLastBlock(blockLength)));
      }
    }

    private Stage last() {
      return stages.get(stages.size() - 1);
    }

    private void fillUp(Canvas canvas) {
      double before = 1;
      for (Stage stage : stages) {
        stage.full |= before >= decodedTokenThreshold;
        before = stage.filled(canvas);
      }
    }

    private Pass pass(Canvas canvas, int[] targets) {
      int[] ends =
          Stream.concat(Stream.of(promptLength), stages.stream().map(stage -> stage.span.end()))
              .mapToInt(Integer::intValue)
              .toArray();
      Pass pass =
          cache == CacheMode.NONE
              ? canvas.fullPass(targets)
              : canvas.windowPass(remembered, canvas.length(), targets);

      return pass.withBlockCausalMask(ends);
    }

    @Override
    public List<Accepted> accept(Canvas canvas, Candidates candidates) {
      passes++;
      remembered = firstOpen(canvas);
      Candidates ranked = candidates.scoredBy(samplingStrategy.confidence);
      List<Accepted> accepted = new ArrayList<>();
      for (Stage stage : stages) {
        CommitRule rule = CommitRule.above(skipThreshold, stage.full ? 1 : 0);
        accepted.addAll(rule.accept(ranked.within(stage.span)));
      }
      endSeen |= accepted.stream().anyMatch(token -> endToken.isEnd(token.token()));

      return accepted;
    }

    /** Start of the first block that this pass read with masks in it. */
    private int firstOpen(Canvas canvas) {
      return stages.stream()
          .filter(stage -> canvas.hasMasks(stage.span))
          .mapToInt(stage -> stage.span.start())
          .findFirst()
          .orElse(canvas.length());
    }
  }

  /** A block of the pipeline. */
  private static final class Stage {

    private final Block span;
    private boolean full;

    Stage(Block span) {
      this.span = span;
    }

    double filled(Canvas canvas) {
      return (double) (span.length() - canvas.masks(span).length) / span.length();
    }
  }
}
