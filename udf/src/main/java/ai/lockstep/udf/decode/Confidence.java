package ai.lockstep.udf.decode;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.model.Proposals;

/**
 * Dream's three confidences ({@code alg} of generation_utils.py), all of the filtered distribution.
 */
public enum Confidence implements Score {
  /** The probability of the proposed token. */
  MASKGIT_PLUS {
    @Override
    public float of(Proposals proposals, int index) {
      return proposals.p(index);
    }
  },
  /** Largest minus second largest probability, whatever was drawn. */
  TOPK_MARGIN {
    @Override
    public float of(Proposals proposals, int index) {
      return proposals.margin(index);
    }

    @Override
    public boolean readsSpread() {
      return true;
    }
  },
  /** Negative entropy, at most 0, whatever was drawn. */
  ENTROPY {
    @Override
    public float of(Proposals proposals, int index) {
      return proposals.negativeEntropy(index);
    }

    @Override
    public boolean readsSpread() {
      return true;
    }
  };

  /** The spelling in configurations: {@code maskgit_plus}, {@code topk_margin}, {@code entropy}. */
  public String spelling() {
    return Setting.spelling(this);
  }

  /**
   * Reads {@code model.generation.alg} for decoders that rank positions.
   *
   * @throws LockstepException when the name is none of the three
   */
  public static Confidence named(String spelling) {
    return Setting.choice(Confidence.class, "model.generation.alg", spelling);
  }
}
