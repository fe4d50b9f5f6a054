package ai.lockstep.harness;

import ai.lockstep.datasets.Task;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Runs reference programs' tests one after the other in one process: the floor of judging them. */
final class WarmInterpreter implements AutoCloseable {

  private static final JsonMapper JSON = new JsonMapper();

  private final Process process;
  private final OutputStream tasks;
  private final BufferedReader answers;

  WarmInterpreter() throws IOException {
    Path python = HarnessSettings.defaults().python();
    String program = PythonProgram.read("arguments.py") + "\n" + PythonProgram.read("floor.py");
    ProcessBuilder builder =
        new ProcessBuilder(List.of(python.toString(), "-s", "-B", "-c", program))
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("OMP_NUM_THREADS", "1");
    process = builder.start();
    tasks = process.getOutputStream();
    answers =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
  }

  double seconds(Task task) throws IOException {
    ObjectNode request = JSON.createObjectNode();
    request.put("task_id", task.taskId());
    request.put("program", task.referenceProgram());
    request.put("entry_point", task.entryPoint());
    request.putObject("tests").put("base", task.baseInputJson()).put("plus", task.plusInputJson());
    tasks.write(JSON.writeValueAsBytes(request));
    tasks.write('\n');
    tasks.flush();
    return Double.parseDouble(answers.readLine());
  }

  @Override
  public void close() throws IOException {
    tasks.close();
    process.destroy();
  }
}
