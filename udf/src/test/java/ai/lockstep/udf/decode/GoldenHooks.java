package ai.lockstep.udf.decode;

import ai.lockstep.udf.golden.Golden;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The hooks of the golden cases: set given logits everywhere, set the last tokens at every call.
 */
final class GoldenHooks {

  private final JsonNode settings;
  private final List<String> calls = new ArrayList<>();

  GoldenHooks(JsonNode settings) {
    this.settings = settings;
  }

  Hooks hooks() {
    return settings.has("tokens_hook")
        ? new Hooks(Optional.of(this::setLogits), Optional.of(new SetLast()))
        : Hooks.NONE;
  }

  /** In the words of the golden files: {@code ["tokens",null,true]}, {@code ["logits",0]}, ... */
  List<String> calls() {
    return calls;
  }

  private PositionLogits setLogits(int step, int[] x, PositionLogits z) {
    calls.add("[\"logits\",%d]".formatted(step));
    for (int i = 0; i < z.size(); i++) {
      for (JsonNode change : settings.get("logits_hook").get("set")) {
        z.row(i)[change.get(0).asInt()] = (float) change.get(1).asDouble();
      }
    }
    return z;
  }

  private final class SetLast implements TokensHook {

    private final int[] last = Golden.ints(settings.get("tokens_hook").get("set_last"));

    @Override
    public int[] start(int[] x) {
      calls.add("[\"tokens\",null,true]");
      return setLast(x);
    }

    @Override
    public int[] apply(int step, int[] x, PositionLogits z) {
      calls.add("[\"tokens\",%d,false]".formatted(step));
      return setLast(x);
    }

    private int[] setLast(int[] x) {
      System.arraycopy(last, 0, x, x.length - last.length, last.length);
      return x;
    }
  }
}
