package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.MaskedDiffusionModel;
import ai.lockstep.udf.model.Pass;
import ai.lockstep.udf.model.Proposals;
import ai.lockstep.udf.model.RowPass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Decodes one row on a model, alone. */
final class Decoding {

  private final Completion completion;
  private final List<Pass> passes;

  private Decoding(Completion completion, List<Pass> passes) {
    this.completion = completion;
    this.passes = passes;
  }

  static Decoding of(Decoder decoder, DecodeRequest request, MaskedDiffusionModel model) {
    return of(decoder, decoder.start(request, model.spec()), model);
  }

  static Decoding of(Decoder decoder, RowDecoder row, MaskedDiffusionModel model) {
    int slot = decoder.usesCache() ? model.openSlot(row.maxLength()) : RowPass.NO_SLOT;
    List<Pass> passes = new ArrayList<>();
    for (Optional<Pass> pass = row.nextPass(); pass.isPresent(); pass = row.nextPass()) {
      passes.add(pass.get());
      Proposals answer = model.propose(List.of(new RowPass(pass.get(), slot))).get(0);
      row.accept(answer, 0);
    }
    if (slot != RowPass.NO_SLOT) {
      model.closeSlot(slot);
    }

    return new Decoding(row.completion(), passes);
  }

  Completion completion() {
    return completion;
  }

  /** What the row asked of the model, in order. */
  List<Pass> passes() {
    return passes;
  }
}
