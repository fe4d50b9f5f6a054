package ai.lockstep.udf.spark;

import ai.lockstep.udf.decode.CacheMode;
import ai.lockstep.udf.decode.Confidence;
import ai.lockstep.udf.decode.LockstepDecoder;
import ai.lockstep.udf.decode.LockstepMode;
import ai.lockstep.udf.decode.LockstepSettings;
import ai.lockstep.udf.decode.Markers;
import ai.lockstep.udf.decode.ProposalSettings;
import ai.lockstep.udf.model.Sampling;
import ai.lockstep.udf.tokenizer.ChatMessage;
import ai.lockstep.udf.tokenizer.DreamTokenizer;
import java.io.Serializable;
import java.util.List;

/** {@link LockstepGenerator}'s parameters on their way to the executors. Serialised: yes. */
record GeneratorSettings(
    String inputCol,
    String idCol,
    CheckpointModel model,
    DeviceChoice device,
    int batchSize,
    boolean chat,
    String mode,
    double tauR,
    double tauA,
    double maxFillFrac,
    int rLength,
    int aLength,
    String rOpen,
    String aOpen,
    String cache,
    int halo,
    double temperature,
    double topP,
    int topK,
    int steps,
    long seed)
    implements Serializable {

  /**
   * The decoder's settings.
   *
   * @throws ai.lockstep.failure.LockstepException naming the first that is out of range
   */
  LockstepSettings lockstep() {
    return new LockstepSettings(
        LockstepMode.named(mode),
        tauR,
        tauA,
        maxFillFrac,
        halo,
        rLength,
        aLength,
        CacheMode.named(cache),
        steps,
        Confidence.MASKGIT_PLUS,
        List.of(),
        ProposalSettings.of(new Sampling(temperature, topP, topK, true)));
  }

  LockstepDecoder decoder(DreamTokenizer tokenizer) {
    return new LockstepDecoder(
        lockstep(), new Markers(tokenizer.encode(rOpen), tokenizer.encode(aOpen)));
  }

  int[] promptIds(String prompt, DreamTokenizer tokenizer) {
    return tokenizer.encode(chat ? DreamTokenizer.chat(List.of(ChatMessage.user(prompt))) : prompt);
  }
}
