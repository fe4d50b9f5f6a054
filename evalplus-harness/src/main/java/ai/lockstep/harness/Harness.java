package ai.lockstep.harness;

import ai.lockstep.datasets.Task;
import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.HarnessSettings.Depth;
import ai.lockstep.harness.HarnessSettings.Scope;
import ai.lockstep.harness.evalplus.JsonElements;
import ai.lockstep.harness.extract.PythonSanitizer;
import ai.lockstep.harness.extract.Sanitized;
import ai.lockstep.harness.extract.Sanitizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Judges programs in sandboxes; one for a JVM, used from any thread.
 *
 * <p>At most {@link HarnessSettings#parallel} programs run at a time; further callers wait. Each
 * runs in a fresh process that a sandboxed server forked ahead; expected answers and comparisons
 * stay in another process ({@code judge.py}), so a program that takes over its own process can
 * still only choose which answers it gives. A server or judge that dies is replaced and its program
 * judged again.
 */
public final class Harness implements AutoCloseable {

  private final HarnessSettings settings;
  private final Interpreter interpreter;
  private final Isolation isolation;
  private final Places<JudgeProcess> judges;
  private final Places<PythonSanitizer> sanitizers;
  private final Map<String, List<String>> inputs = new ConcurrentHashMap<>();

  private Harness(HarnessSettings settings, Interpreter interpreter, Isolation isolation) {
    this.settings = settings;
    this.interpreter = interpreter;
    this.isolation = isolation;
    SandboxCommand command = SandboxCommand.of(isolation, interpreter);
    this.judges =
        new Places<>(
            settings.parallel(), () -> new JudgeProcess(settings, interpreter, isolation, command));
    this.sanitizers =
        new Places<>(
            settings.parallel(),
            () -> PythonSanitizer.withCommand(command.withoutPrivileges().words()));
  }

  /**
   * Finds the interpreter and the strongest sandbox that the settings and the machine allow.
   *
   * @throws LockstepException (environment) when the interpreter, numpy or the sandbox asked for is
   *     missing
   */
  public static Harness open(HarnessSettings settings) {
    Interpreter interpreter = Interpreter.at(settings.python());
    Isolation isolation = SandboxCommand.strongest(settings, interpreter);
    if (settings.limits().machineFactor() > 0) {
      return new Harness(settings, interpreter, isolation);
    }

    double factor;
    try (Harness measuring =
        new Harness(
            settings.withLimits(settings.limits().withMachineFactor(1)), interpreter, isolation)) {
      factor = MachineFactor.measured(measuring);
    }
    Limits scaled = settings.limits().withMachineFactor(factor);
    return new Harness(settings.withLimits(scaled), interpreter, isolation);
  }

  /**
   * Runs a program against its task's tests. Expected answers that are not in the cache yet are
   * computed first.
   *
   * @param datasetMd5 of the file that the task is from: what expected outputs are cached by
   * @param program whole program text; may hold anything, also lone surrogates
   * @throws LockstepException (user) when the task's reference solution fails; (environment) when
   *     no sandbox can be started any more
   */
  public Verdict judge(Task task, String datasetMd5, String program) {
    ObjectNode request = JsonNodeFactory.instance.objectNode();
    request.put("key", datasetMd5 + "/" + task.taskId());
    request.put("program", program);
    request.put("fail_fast", settings.depth() == Depth.FAIL_FAST);
    ArrayNode runs = request.putArray("runs").add("base");
    if (settings.scope() == Scope.BASE_AND_PLUS) {
      runs.add("plus");
    }

    Optional<JsonNode> answer = judges.with(judge -> judge.answer(request, task, datasetMd5));
    RunVerdict base = verdict(answer, "base", task.baseInputJson(), request);
    return new Verdict(
        task.taskId(),
        base,
        runs.size() > 1
            ? Optional.of(verdict(answer, "plus", task.plusInputJson(), request))
            : Optional.empty());
  }

  private RunVerdict verdict(
      Optional<JsonNode> answer, String run, String testsJson, JsonNode request) {
    if (answer.isEmpty()) {
      return RunVerdict.sandboxError();
    }

    JsonNode node = answer.get().required(run);
    OptionalInt firstFailed =
        node.required("first_failed").isNull()
            ? OptionalInt.empty()
            : OptionalInt.of(node.required("first_failed").intValue());
    String key = request.required("key").textValue() + "/" + run;
    return new RunVerdict(
        Status.valueOf(upper(node, "status")),
        Outcome.valueOf(upper(node, "outcome")),
        RunVerdict.shortened(node.required("message").textValue()),
        node.required("tests").intValue(),
        node.required("details").textValue(),
        firstFailed,
        firstFailed.isPresent() && firstFailed.getAsInt() < node.required("tests").intValue()
            ? Optional.of(
                inputs
                    .computeIfAbsent(key, k -> JsonElements.of(testsJson))
                    .get(firstFailed.getAsInt()))
            : Optional.empty(),
        Optional.ofNullable(node.required("tampering").textValue()),
        node.required("test_seconds").doubleValue(),
        node.required("seconds").doubleValue());
  }

  private static String upper(JsonNode node, String field) {
    return node.required(field).textValue().toUpperCase(Locale.ROOT);
  }

  /**
   * EvalPlus's sanitiser, run in the sandbox; for use from any thread until the harness is closed.
   */
  public Sanitizer sanitizer() {
    return this::sanitize;
  }

  private Sanitized sanitize(String text, Optional<String> entryPoint) {
    return sanitizers.with(sanitizer -> sanitizer.sanitize(text, entryPoint));
  }

  /** The level that programs run under. */
  public Isolation isolation() {
    return isolation;
  }

  /** What all time limits are multiplied by. */
  public double machineFactor() {
    return settings.limits().machineFactor();
  }

  /** What runs them. */
  public Interpreter interpreter() {
    return interpreter;
  }

  /** Ends all processes; programs still running fail. */
  @Override
  public void close() {
    judges.close();
    sanitizers.close();
  }
}
