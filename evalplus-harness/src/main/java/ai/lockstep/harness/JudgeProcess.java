package ai.lockstep.harness;

import ai.lockstep.datasets.Task;
import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One {@code judge.py}, which has a sandbox of its own. It is started again when it ends or does
 * not answer. Used by one thread at a time.
 */
final class JudgeProcess implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(JudgeProcess.class);

  /** A run that decides nothing after its whole budget and this long is lost. */
  private static final double PATIENCE_SECONDS = 120;

  /** Reference programs have no time limit in EvalPlus; the judge itself ends them after this. */
  private static final double REFERENCE_SECONDS = 4000;

  private static final int TRIES = 2;

  private static final long PHYSICAL_SHARE_BYTES = 4L << 30;

  /** First of the user ids that systemd gives to short-lived services; no person has one. */
  private static final int FIRST_USER = 61184;

  private static final int USERS = 4000;

  /** Each of a judge's sandboxes has a user: limits of processes are counted by user. */
  private static final int USERS_OF_A_JUDGE = 4;

  /** ASCII on the wire, so that lone surrogates survive as escapes. */
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  private static final String END = "";

  private final HarnessSettings settings;
  private final Interpreter interpreter;
  private final ObjectNode configuration;
  private @Nullable Running running;

  JudgeProcess(
      HarnessSettings settings,
      Interpreter interpreter,
      Isolation isolation,
      SandboxCommand command) {
    this.settings = settings;
    this.interpreter = interpreter;
    this.configuration = configuration(settings, interpreter, isolation, command);
  }

  private static ObjectNode configuration(
      HarnessSettings settings,
      Interpreter interpreter,
      Isolation isolation,
      SandboxCommand command) {
    boolean namespaces = isolation == Isolation.BUBBLEWRAP;
    ObjectNode node = JSON.createObjectNode();
    node.set("command", JSON.valueToTree(command.words()));
    node.put("bootstrap", PythonProgram.SANDBOX.bootstrap());
    node.put("program", PythonProgram.SANDBOX.text());
    node.put("sandboxed", namespaces);
    node.put(
        "expected_folder",
        settings.cacheFolder().resolve("expected").resolve(interpreter.folderName()).toString());
    Limits limits = settings.limits();
    node.put("min_test_seconds", limits.minTestSeconds());
    node.put("reference_factor", limits.referenceFactor());
    node.put("run_seconds", limits.runSeconds());
    node.put("machine_factor", limits.machineFactor());
    node.put(
        "memory_bytes",
        limits.memoryBytes() > 0
            ? limits.memoryBytes()
            : Math.min(PHYSICAL_SHARE_BYTES, physicalMemoryBytes()));
    ObjectNode server = node.putObject("server");
    server.set("folders", JSON.valueToTree(SandboxCommand.FOLDERS));
    server.put("work_folder", SandboxCommand.WORK_FOLDER);
    server.put("file_bytes", 64L << 20);
    server.put("open_files", 1024);
    server.put("processes", 128);
    return node;
  }

  private static long physicalMemoryBytes() {
    return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
        .getTotalMemorySize();
  }

  /**
   * Has a program judged.
   *
   * @param request for {@code judge.py}
   * @return its answer; empty when the program's sandbox was lost every time though others work
   */
  Optional<JsonNode> answer(ObjectNode request, Task task, String datasetMd5) {
    for (int attempt = 1; attempt <= TRIES; attempt++) {
      try {
        JsonNode answer = exchange(request);
        if (answer.has("unknown_task")) {
          answer = exchange(withTask(request, task, datasetMd5));
        }
        if (answer.has("reference_failed")) {
          throw LockstepException.user(
              "Cannot judge programs for %s: %s. Check the dataset with this interpreter (%s)."
                  .formatted(
                      task.taskId(), answer.get("reference_failed").textValue(), interpreter));
        }
        if (!answer.has("sandbox_lost")) {
          return Optional.of(answer);
        }
        LOG.warn(
            "{}: the sandbox was lost ({})", task.taskId(), answer.get("sandbox_lost").textValue());
        break;
      } catch (IOException e) {
        LOG.warn("{}: the judge was lost ({}); starting another", task.taskId(), e.getMessage());
        close();
      }
    }
    requireHealth();
    return Optional.empty();
  }

  private static ObjectNode withTask(ObjectNode request, Task task, String datasetMd5) {
    ObjectNode whole = request.deepCopy();
    ObjectNode fields = whole.putObject("task");
    fields.set("key", request.required("key"));
    fields.put("dataset", datasetMd5);
    fields.put("suite", task.suite().name().toLowerCase(Locale.ROOT));
    fields.put("task_id", task.taskId());
    fields.put("entry_point", task.entryPoint());
    fields.put("reference", task.referenceProgram());
    fields.put("atol", task.atol());
    fields.putObject("tests").put("base", task.baseInputJson()).put("plus", task.plusInputJson());
    return whole;
  }

  /** Tells a program that kills every sandbox from a machine that has none any more. */
  private void requireHealth() {
    try {
      JsonNode answer = exchange(JSON.createObjectNode().put("check", true));
      if (answer.has("sandboxed")) {
        return;
      }
      throw LockstepException.environment(
          "Cannot run programs any more: no sandbox starts (%s)."
              .formatted(answer.path("sandbox_lost").asText()));
    } catch (IOException e) {
      throw LockstepException.environment(
          "Cannot run programs any more: no judge starts (%s).".formatted(e.getMessage()), e);
    }
  }

  private JsonNode exchange(ObjectNode request) throws IOException {
    Running judge = running;
    if (judge == null) {
      judge = new Running(interpreter, configuration);
      running = judge;
    }

    judge.write(request);
    Limits limits = settings.limits();
    double patience = 2 * limits.machineFactor() * limits.runSeconds() + PATIENCE_SECONDS;
    JsonNode answer = judge.read(patience);
    while (answer.has("computing")) {
      answer = judge.read(patience + REFERENCE_SECONDS);
    }
    return answer;
  }

  /** Ends the process and its sandbox; a later call starts another. */
  @Override
  public void close() {
    if (running != null) {
      running.close();
      running = null;
    }
  }

  /** One running process and its two ends. */
  private static final class Running {

    private static final long CLOSE_SECONDS = 5;

    private final Process process;
    private final OutputStream requests;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    Running(Interpreter interpreter, ObjectNode configuration) throws IOException {
      process =
          new ProcessBuilder(
                  List.of(
                      interpreter.python().toString(),
                      "-s",
                      "-B",
                      "-c",
                      PythonProgram.JUDGE.bootstrap(),
                      PythonProgram.JUDGE.text()))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      requests = process.getOutputStream();
      Thread reader = new Thread(this::readAll, "lockstep-judge-" + process.pid());
      reader.setDaemon(true);
      reader.start();
      ObjectNode own = configuration.deepCopy();
      ObjectNode server = (ObjectNode) own.required("server");
      if (SandboxCommand.isRoot()) {
        server.put("user", FIRST_USER + (int) (process.pid() * USERS_OF_A_JUDGE % USERS));
      } else {
        server.putNull("user");
      }
      write(own);
    }

    private void readAll() {
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          answers.add(line);
        }
      } catch (IOException e) {
        LOG.debug("a judge's answers ended", e);
      } finally {
        answers.add(END);
      }
    }

    void write(JsonNode message) throws IOException {
      requests.write(JSON.writeValueAsBytes(message));
      requests.write('\n');
      requests.flush();
    }

    JsonNode read(double seconds) throws IOException {
      try {
        String line = answers.poll((long) (seconds * 1000), TimeUnit.MILLISECONDS);
        if (line == null) {
          throw new IOException("no answer in %.0f s".formatted(seconds));
        }
        if (line.equals(END)) {
          throw new IOException("it ended");
        }
        return JSON.readTree(line);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }

    void close() {
      try {
        requests.close();
        if (!process.waitFor(CLOSE_SECONDS, TimeUnit.SECONDS)) {
          process.destroyForcibly();
        }
      } catch (IOException e) {
        process.destroyForcibly();
      } catch (InterruptedException e) {
        process.destroyForcibly();
        Thread.currentThread().interrupt();
      }
    }
  }
}
