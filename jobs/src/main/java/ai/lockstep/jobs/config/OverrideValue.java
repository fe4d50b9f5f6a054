package ai.lockstep.jobs.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** What stands to the right of the {@code =} of an override. */
sealed interface OverrideValue {

  /** Nothing at all: {@code ~key}. */
  record Absent() implements OverrideValue {}

  /** One value; interpolations in it are still text. */
  record Single(JsonNode value) implements OverrideValue {}

  /** {@code a,b,c}: alternatives of a sweep, each as it was typed. */
  record CommaSeparated(List<String> texts) implements OverrideValue {

    public CommaSeparated {
      texts = List.copyOf(texts);
    }
  }

  /** {@code choice(a,b)} or {@code range(1,4)}: alternatives of a sweep, each as an override. */
  record Enumerated(String function, List<String> texts) implements OverrideValue {

    public Enumerated {
      texts = List.copyOf(texts);
    }
  }

  /** {@code glob(*)}: the options of a group whose name matches. */
  record Glob(List<String> included, List<String> excluded) implements OverrideValue {

    public Glob {
      included = List.copyOf(included);
      excluded = List.copyOf(excluded);
    }
  }
}
