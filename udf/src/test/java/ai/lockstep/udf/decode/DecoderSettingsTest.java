package ai.lockstep.udf.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.udf.decode.FastDllmDecoder.BlockStartRule;
import ai.lockstep.udf.decode.FastDllmDecoder.Rule;
import ai.lockstep.udf.decode.FastDllmDecoder.Scope;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What each decoder refuses, and in which words. */
class DecoderSettingsTest {

  private static void refused(ThrowingCallable settings, String message) {
    assertThatThrownBy(settings).isInstanceOf(LockstepException.class).hasMessage(message);
  }

  private static DreamDecoder dream(int tokens, int steps, double eps, double algTemp) {
    return new DreamDecoder(
        tokens, steps, eps, Optional.of(Confidence.ENTROPY), algTemp, ProposalSettings.GREEDY);
  }

  private static LladaDecoder llada(int tokens, int steps, int block, double scale) {
    return new LladaDecoder(
        tokens, steps, block, scale, LladaDecoder.Remasking.RANDOM, ProposalSettings.GREEDY);
  }

  private static FastDllmDecoder fast(
      Scope scope, Rule rule, int steps, int block, double threshold, CacheMode cache) {
    return new FastDllmDecoder(
        64,
        steps,
        0.001,
        scope,
        rule,
        block,
        threshold,
        1,
        BlockStartRule.FORCED,
        cache,
        ProposalSettings.GREEDY);
  }

  private static D2fDecoder d2f(int block, double add, double skip, CacheMode cache) {
    return new D2fDecoder(
        64,
        block,
        add,
        0.95,
        skip,
        D2fDecoder.SamplingStrategy.DEFAULT,
        List.of(),
        cache,
        ProposalSettings.GREEDY);
  }

  @Test
  void dream() {
    refused(
        () -> dream(0, 4, 0.001, 0),
        "Cannot decode with model.generation.max_new_tokens=0: the number of tokens must be 1 or more. Try model.generation.max_new_tokens=256.");
    refused(
        () -> dream(16, 0, 0.001, 0),
        "Cannot decode with model.generation.steps=0: the number of steps must be 1 or more. Try model.generation.steps=16.");
    refused(
        () -> dream(16, 4, 1, 0),
        "Cannot decode with model.generation.eps=1.0: the last time must lie in (0, 1). Try model.generation.eps=0.001.");
    refused(
        () -> dream(16, 4, 0.001, -1),
        "Cannot decode with model.generation.alg_temp=-1.0: the temperature must be 0 or more. Try model.generation.alg_temp=0.");
  }

  @Test
  void llada() {
    refused(
        () -> llada(64, 64, 24, 0),
        "Cannot decode with decode.block_length=24: it must divide model.generation.max_new_tokens=64. Try decode.block_length=16.");
    refused(
        () -> llada(64, 64, 0, 0),
        "Cannot decode with decode.block_length=0: it must divide model.generation.max_new_tokens=64. Try decode.block_length=1.");
    refused(
        () -> llada(64, 10, 16, 0),
        "Cannot decode with model.generation.steps=10: the steps must be a multiple of the 4 blocks. Try model.generation.steps=8.");
    refused(
        () -> llada(64, 64, 16, -0.5),
        "Cannot decode with decode.cfg_scale=-0.5: the scale must be 0 or more. Try decode.cfg_scale=0.");
  }

  @Test
  void fastDllm() {
    refused(
        () -> fast(Scope.BLOCK, Rule.THRESHOLD, 64, 16, 1.5, CacheMode.DUAL),
        "Cannot decode with decode.threshold=1.5: the acceptance threshold must lie in (0, 1]. Try decode.threshold=0.9.");
    refused(
        () -> fast(Scope.BLOCK, Rule.THRESHOLD, 64, 16, 0, CacheMode.DUAL),
        "Cannot decode with decode.threshold=0.0: the acceptance threshold must lie in (0, 1]. Try decode.threshold=0.9.");
    refused(
        () -> fast(Scope.GLOBAL, Rule.THRESHOLD, 64, 16, 0.9, CacheMode.PREFIX),
        "Cannot decode with decode.cache=prefix: decode.scope=global commits anywhere, so no pass can leave positions out. Try decode.cache=none.");
    refused(
        () -> fast(Scope.GLOBAL, Rule.THRESHOLD, 10, 16, 0.9, CacheMode.NONE),
        "Cannot decode with model.generation.steps=10: it must divide model.generation.max_new_tokens=64. Try model.generation.steps=64.");
    refused(
        () -> fast(Scope.BLOCK, Rule.SCHEDULE, 4, 16, 0.9, CacheMode.DUAL),
        "Cannot decode with model.generation.steps=4: the steps must be a multiple of the 4 blocks, 2 or more for each. Try model.generation.steps=8.");
    assertThat(fast(Scope.BLOCK, Rule.SCHEDULE, 4, 16, 0.9, CacheMode.NONE).usesCache()).isFalse();
  }

  @Test
  void d2f() {
    refused(
        () -> d2f(65, 0.1, 0.9, CacheMode.PREFIX),
        "Cannot decode with decode.block_length=65: it must lie in 1..64, the model.generation.max_new_tokens. Try decode.block_length=32.");
    refused(
        () -> d2f(32, 1.1, 0.9, CacheMode.PREFIX),
        "Cannot decode with decode.block_add_threshold=1.1: the share of a block must lie in [0, 1]. Try decode.block_add_threshold=0.1.");
    refused(
        () -> d2f(32, 0.1, 0, CacheMode.PREFIX),
        "Cannot decode with decode.skip_threshold=0.0: the threshold must lie in (0, 1]. Try decode.skip_threshold=0.9.");
    refused(
        () -> d2f(32, 0.1, 0.9, CacheMode.DUAL),
        "Cannot decode with decode.cache=dual: blocks never see later ones, so there is nothing behind a block to remember. Try decode.cache=prefix.");
  }

  @Test
  void unknownAlgorithm() {
    refused(
        () -> Confidence.named("magic"),
        "Cannot decode with model.generation.alg=magic: it must be one of maskgit_plus, topk_margin, entropy. Try model.generation.alg=maskgit_plus.");
  }
}
