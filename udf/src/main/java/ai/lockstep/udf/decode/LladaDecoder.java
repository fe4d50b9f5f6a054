package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.ModelSpec;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * LLaDA's semi-autoregressive decoding: blocks from left to right, in each an even number of tokens
 * a pass, the most confident first.
 *
 * <p>Source: generate.py of ML-GSAI/LLaDA (arXiv 2502.09992). Its Gumbel noise at temperature T is
 * a draw from softmax(logits / T), which is what {@link ai.lockstep.udf.model.Sampling} does; the
 * confidence is the token's probability without noise and filters. Deliberate difference: what a
 * pass could not commit, because the model proposed the mask token, is tried again within its
 * block.
 *
 * <p>Cost: {@code steps} full passes, each of two rows with guidance.
 *
 * @param maxNewTokens {@code model.generation.max_new_tokens}, a multiple of the block length
 * @param steps {@code model.generation.steps}, a multiple of the number of blocks
 * @param blockLength {@code decode.block_length}
 * @param cfgScale {@code decode.cfg_scale}: guidance, logits = free + (scale + 1) (prompted - free)
 *     where the free row has masks for its prompt; 0 for none
 * @param remasking {@code decode.remasking}
 * @param proposals how logits become proposals
 */
public record LladaDecoder(
    int maxNewTokens,
    int steps,
    int blockLength,
    double cfgScale,
    Remasking remasking,
    ProposalSettings proposals)
    implements Decoder {

  /** Which positions stay masked. */
  public enum Remasking {
    /** The least confident. */
    LOW_CONFIDENCE,
    /** Any: the committed ones are drawn. */
    RANDOM
  }

  public LladaDecoder {
    Setting.requireNewTokens(maxNewTokens);
    Setting.requireBlocks(blockLength, maxNewTokens);
    Setting.requireStepsOfBlocks(steps, maxNewTokens / blockLength, 1);
    if (!(cfgScale >= 0) || Double.isInfinite(cfgScale)) {
      throw Setting.rejected("decode.cfg_scale", cfgScale, "the scale must be 0 or more", 0);
    }
  }

  @Override
  public boolean usesCache() {
    return false;
  }

  @Override
  public RowDecoder start(DecodeRequest request, ModelSpec spec) {
    Uniforms uniforms = Uniforms.of(request);
    Canvas canvas = Canvas.withRegion(request, spec, proposals.alignment(spec), maxNewTokens);
    Block region = canvas.blocks().get(0);
    Schedule schedule = Schedule.even(steps / (maxNewTokens / blockLength), rule(uniforms));
    Algorithm blocks = BlockByBlock.parts(region, blockLength, Score.UNFILTERED, schedule);
    Algorithm algorithm = cfgScale > 0 ? new Guided(blocks, cfgScale) : blocks;

    return new Row(request, canvas, algorithm, proposals, uniforms, spec, canvas.length());
  }

  /** A draw at infinite temperature prefers no position. */
  private IntFunction<CommitRule> rule(Uniforms uniforms) {
    return switch (remasking) {
      case LOW_CONFIDENCE -> CommitRule::best;
      case RANDOM -> count -> CommitRule.drawn(count, Double.POSITIVE_INFINITY, uniforms);
    };
  }

  /** Another algorithm under classifier-free guidance. */
  private record Guided(Algorithm algorithm, double scale) implements Algorithm {

    @Override
    public Score score() {
      return algorithm.score();
    }

    @Override
    public Optional<Step> propose(Canvas canvas) {
      return algorithm
          .propose(canvas)
          .map(step -> step.with(step.pass().withGuidance(canvas.withoutPrompt(), scale)));
    }

    @Override
    public List<Accepted> accept(Canvas canvas, Candidates candidates) {
      return algorithm.accept(canvas, candidates);
    }
  }
}
