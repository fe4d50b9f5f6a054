package ai.lockstep.harness.evalplus;

import java.util.ArrayList;
import java.util.List;

/**
 * Which inputs EvalPlus writes down for a run that did not pass (evalplus/evaluate.py, {@code
 * get_failed_tests}). Inputs are written as the dataset holds them.
 */
public final class FailTests {

  private FailTests() {}

  /**
   * With {@code harness.fail_fast=false}: the input of every finished test that failed.
   *
   * @param testsJson a JSON array of tests
   * @param details {@code 1} or {@code 0} for each finished test
   */
  public static List<String> everyFailed(String testsJson, String details) {
    if (details.indexOf('0') < 0) {
      return List.of();
    }

    List<String> tests = JsonElements.of(testsJson);
    List<String> failed = new ArrayList<>();
    for (int index = 0; index < details.length(); index++) {
      if (details.charAt(index) == '0') {
        failed.add(tests.get(index));
      }
    }
    return failed;
  }

  /**
   * With {@code harness.fail_fast=true}: the input of the last finished test. After a crash that is
   * one that passed. Not to be asked for a run that passed.
   */
  public static List<String> lastFinished(String testsJson, String details) {
    return details.isEmpty()
        ? List.of()
        : List.of(JsonElements.of(testsJson).get(details.length() - 1));
  }
}
