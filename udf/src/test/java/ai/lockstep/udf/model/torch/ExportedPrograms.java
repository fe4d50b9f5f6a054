package ai.lockstep.udf.model.torch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Small exported models of twenty ids, whose logits a reader can compute: at position i of a row,
 * the logit of id v is {@code ((v * (sum + 3 * id_i + 1)) mod 7) / 4 + v / 100}, where the sum is
 * over the ids of the row's real positions.
 */
final class ExportedPrograms {

  static final int VOCABULARY = 20;

  private static final String LOGITS =
      """
          seen = torch.mul(ids, mask)
          state = torch.add(torch.add(torch.sum(seen, [1], True), torch.mul(ids, 3)), 1)
          v = torch.arange(20, device=ids.device)
          wave = torch.remainder(torch.mul(torch.unsqueeze(state, -1), v), 7)
          logits = torch.add(torch.div(wave.to(6), 4.), torch.div(v.to(6), 100.))
      """
          .indent(0);

  private ExportedPrograms() {}

  /** A program of ids alone. */
  static Path ofIds(Path folder) {
    return write(
        folder.resolve("ids.pt"),
        "ids: Tensor) -> Tensor",
        "    mask = torch.ones_like(ids)\n" + LOGITS + "    return logits\n");
  }

  /** A program of ids and a mask. */
  static Path ofIdsAndMask(Path folder) {
    return write(
        folder.resolve("masked.pt"),
        "ids: Tensor, mask: Tensor) -> Tensor",
        LOGITS + "    return logits\n");
  }

  /** A module with that forward. */
  static Path write(Path file, String signature, String body) {
    String source =
        """
        class Exported(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          def forward(self: __torch__.Exported, %s:
        %s"""
            .formatted(signature, body);
    try {
      return Files.write(
          file,
          TorchScriptArchive.of("Exported", source, Map.<String, Object>of("training", false)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What the programs compute, in plain Java: [length][vocabulary]. */
  static float[][] logits(int... ids) {
    int sum = 0;
    for (int id : ids) {
      sum += id;
    }
    float[][] logits = new float[ids.length][VOCABULARY];
    for (int i = 0; i < ids.length; i++) {
      for (int v = 0; v < VOCABULARY; v++) {
        logits[i][v] = (v * (sum + 3 * ids[i] + 1) % 7) / 4f + v / 100f;
      }
    }

    return logits;
  }
}
