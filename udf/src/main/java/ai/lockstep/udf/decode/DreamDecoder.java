package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.ModelSpec;
import java.util.Optional;

/**
 * Dream's {@code diffusion_generate}: the whole region at once, on a linear schedule that says how
 * many positions each pass commits, best first.
 *
 * <p>Source: generation_utils.py of Dream-org/Dream-v0-Instruct-7B; paper arXiv 2508.15487.
 * Deliberate differences: the number of tokens is counted for each row and not over the batch, only
 * masked positions are candidates, passes are not run when a row has no mask left, and random
 * numbers are keyed (see {@link Uniforms}).
 *
 * <p>Cost: {@code steps} full passes. A token that the model proposes to stay a mask stays one.
 *
 * @param maxNewTokens {@code model.generation.max_new_tokens}
 * @param steps {@code model.generation.steps}
 * @param eps {@code model.generation.eps}: last time of the schedule
 * @param alg {@code model.generation.alg}: what positions are ranked by; empty for {@code origin},
 *     where every position is committed on its own with the schedule's probability
 * @param algTemp {@code model.generation.alg_temp}: 0 takes the best-ranked positions, above it
 *     they are drawn from softmax(confidence / alg_temp); not used by origin
 * @param proposals how logits become proposals
 */
public record DreamDecoder(
    int maxNewTokens,
    int steps,
    double eps,
    Optional<Confidence> alg,
    double algTemp,
    ProposalSettings proposals)
    implements Decoder {

  public DreamDecoder {
    Setting.requireNewTokens(maxNewTokens);
    Setting.requireSteps(steps, maxNewTokens);
    Setting.requireEps(eps);
    if (!(algTemp >= 0) || Double.isInfinite(algTemp)) {
      throw Setting.rejected(
          "model.generation.alg_temp", algTemp, "the temperature must be 0 or more", 0);
    }
  }

  @Override
  public boolean usesCache() {
    return false;
  }

  @Override
  public RowDecoder start(DecodeRequest request, ModelSpec spec) {
    return start(request, spec, Uniforms.of(request));
  }

  /** With other random numbers than the request's own. */
  RowDecoder start(DecodeRequest request, ModelSpec spec, Uniforms uniforms) {
    Canvas canvas = Canvas.withRegion(request, spec, proposals.alignment(spec), maxNewTokens);
    Block region = canvas.blocks().get(0);
    Algorithm algorithm =
        BlockByBlock.whole(region, alg.orElse(Confidence.MASKGIT_PLUS), schedule(uniforms));

    return new Row(request, canvas, algorithm, proposals, uniforms, spec, canvas.length());
  }

  private Schedule schedule(Uniforms uniforms) {
    if (alg.isEmpty()) {
      return Schedule.linearProbability(
          steps, eps, probability -> CommitRule.independent(probability, uniforms));
    }
    if (algTemp > 0) {
      return Schedule.linear(steps, eps, count -> CommitRule.drawn(count, algTemp, uniforms));
    }

    return Schedule.linear(steps, eps, CommitRule::best);
  }
}
