package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;

/** Every decoder in every variety, over 16 positions, for properties that hold of all of them. */
public final class Decoders {

  /** Positions that each of them fills. */
  public static final int LENGTH = 16;

  private static final int BLOCK = 4;
  private static final int R = 6;

  private Decoders() {}

  /** All, at temperature 0 and above. */
  public static Stream<Named<Decoder>> all() {
    return Stream.of(0.0, 0.8).flatMap(Decoders::atTemperature);
  }

  /** One of each paper and cache, sampled, for what costs more than the toy model. */
  public static Stream<Named<Decoder>> few() {
    return atTemperature(0.8)
        .filter(
            decoder ->
                decoder
                    .getName()
                    .matches(
                        "dream drawn.*|llada RANDOM cfg 1.5.*|fast_dllm block THRESHOLD dual.*"
                            + "|d2f prefix.*|lockstep gauss_seidel (none|dual).*"));
  }

  private static Stream<Named<Decoder>> atTemperature(double temperature) {
    ProposalSettings proposals =
        ProposalSettings.of(new Sampling(temperature, 0.95, Sampling.NO_TOP_K, true));
    List<Named<Decoder>> decoders = new ArrayList<>();
    String suffix = " at temperature " + temperature;
    for (Confidence alg : Confidence.values()) {
      decoders.add(
          Named.of(
              "dream " + alg.spelling() + suffix,
              new DreamDecoder(LENGTH, 7, 0.001, Optional.of(alg), 0, proposals)));
    }
    decoders.add(
        Named.of(
            "dream origin" + suffix,
            new DreamDecoder(LENGTH, 7, 0.001, Optional.empty(), 0, proposals)));
    decoders.add(
        Named.of(
            "dream drawn" + suffix,
            new DreamDecoder(LENGTH, 7, 0.001, Optional.of(Confidence.ENTROPY), 0.5, proposals)));
    for (LladaDecoder.Remasking remasking : LladaDecoder.Remasking.values()) {
      for (double scale : new double[] {0, 1.5}) {
        decoders.add(
            Named.of(
                "llada " + remasking + " cfg " + scale + suffix,
                new LladaDecoder(LENGTH, 12, BLOCK, scale, remasking, proposals)));
      }
    }
    for (FastDllmDecoder.Rule rule : FastDllmDecoder.Rule.values()) {
      decoders.add(
          Named.of(
              "fast_dllm global " + rule + suffix,
              fast(FastDllmDecoder.Scope.GLOBAL, rule, CacheMode.NONE, proposals)));
      for (CacheMode cache : CacheMode.values()) {
        decoders.add(
            Named.of(
                "fast_dllm block " + rule + " " + cache.spelling() + suffix,
                fast(FastDllmDecoder.Scope.BLOCK, rule, cache, proposals)));
      }
    }
    for (CacheMode cache : List.of(CacheMode.NONE, CacheMode.PREFIX)) {
      decoders.add(
          Named.of(
              "d2f " + cache.spelling() + suffix,
              new D2fDecoder(
                  LENGTH,
                  BLOCK,
                  0.25,
                  0.75,
                  0.6,
                  D2fDecoder.SamplingStrategy.DEFAULT,
                  List.of(99), // none of the toy's: every block is filled
                  cache,
                  proposals)));
    }
    for (LockstepMode mode : LockstepMode.values()) {
      for (CacheMode cache : CacheMode.values()) {
        decoders.add(
            Named.of(
                "lockstep %s %s".formatted(mode.spelling(), cache.spelling()) + suffix,
                lockstep(mode, cache, LockstepSettings.AS_LONG_AS_BLOCKS, proposals)));
      }
    }

    return decoders.stream();
  }

  private static FastDllmDecoder fast(
      FastDllmDecoder.Scope scope,
      FastDllmDecoder.Rule rule,
      CacheMode cache,
      ProposalSettings proposals) {
    return new FastDllmDecoder(
        LENGTH,
        8,
        0.001,
        scope,
        rule,
        BLOCK,
        0.6,
        1,
        cache == CacheMode.DUAL
            ? FastDllmDecoder.BlockStartRule.THRESHOLD
            : FastDllmDecoder.BlockStartRule.FORCED,
        cache,
        proposals);
  }

  /** Lockstep over 6 positions of R and 10 of A, with one-token markers 1 and 2. */
  static LockstepDecoder lockstep(
      LockstepMode mode, CacheMode cache, int steps, ProposalSettings proposals) {
    return new LockstepDecoder(
        new LockstepSettings(
            mode,
            0.7,
            0.8,
            0.4,
            1,
            R,
            LENGTH - R,
            cache,
            steps,
            Confidence.MASKGIT_PLUS,
            List.of(),
            proposals),
        new Markers(new int[] {1}, new int[] {2}));
  }
}
