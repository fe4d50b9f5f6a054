package ai.lockstep.datasets;

import java.io.Serializable;

/**
 * One benchmark problem in EvalPlus's format. Serialised: yes.
 *
 * <p>The tests stay JSON text: they hold integers of a hundred digits, {@code Infinity} and the
 * difference between {@code 1} and {@code 1.0}, and only Python ever reads them.
 *
 * @param suite the family, which decides how arguments are rebuilt
 * @param taskId the suite's prefix and a number, such as {@code HumanEval/7}
 * @param prompt HumanEval: imports, signature and docstring; MBPP: a module docstring
 * @param canonicalSolution what completes {@code prompt} into the reference program
 * @param entryPoint the function that is looked up and called
 * @param baseInputJson a JSON array of tests, each an array of positional arguments
 * @param plusInputJson the same for EvalPlus's added tests; {@code []} where there are none
 * @param atol absolute tolerance for floats, 0 for exact
 */
public record Task(
    Suite suite,
    String taskId,
    String prompt,
    String canonicalSolution,
    String entryPoint,
    String baseInputJson,
    String plusInputJson,
    double atol)
    implements Serializable {

  public Task {
    if (!isIdOf(suite, taskId)) {
      throw new IllegalArgumentException(
          "taskId must be " + suite.taskIdPrefix() + " and a number, not " + taskId);
    }

    if (!(atol >= 0)) {
      throw new IllegalArgumentException("atol must be 0 or more, not " + atol);
    }
  }

  /** Nine digits always fit an int. */
  static boolean isIdOf(Suite suite, String taskId) {
    return taskId.startsWith(suite.taskIdPrefix())
        && taskId.substring(suite.taskIdPrefix().length()).matches("\\d{1,9}");
  }

  /** The number after the suite's prefix. */
  public int number() {
    return Integer.parseInt(taskId.substring(suite.taskIdPrefix().length()));
  }

  /** The program whose results are the expected ones: plain concatenation, as EvalPlus does. */
  public String referenceProgram() {
    return prompt + canonicalSolution;
  }

  @Override
  public String toString() {
    return "Task[" + taskId + "]";
  }
}
