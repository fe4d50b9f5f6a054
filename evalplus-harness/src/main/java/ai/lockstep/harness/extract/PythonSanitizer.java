package ai.lockstep.harness.extract;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@link Sanitizer} by one Python process, started when first needed.
 *
 * <p>The process forks for every text, so a text that exhausts time or memory or crashes the parser
 * costs itself only. Texts are parsed and never executed; for defence against faults of the parser,
 * put a sandbox's command in front of the interpreter's. Callers take turns: a process cleans
 * hundreds of answers a second, open several for more.
 */
public final class PythonSanitizer implements Sanitizer, AutoCloseable {

  private static final long CLOSE_SECONDS = 5;

  /** ASCII on the wire, so that lone surrogates survive as escapes. */
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  private final List<String> command;
  private @Nullable Server server;

  private PythonSanitizer(List<String> command) {
    this.command = command;
  }

  /**
   * A sanitizer whose process is started by a command.
   *
   * @param interpreter command that runs Python 3.11, for instance {@code [/usr/bin/python3]} or a
   *     sandbox's command line that ends in it; options and the script are appended. The script
   *     needs no files, no network and a writable folder neither
   */
  public static PythonSanitizer withCommand(List<String> interpreter) {
    List<String> command = new ArrayList<>(interpreter);
    // As an argument, because a sandbox need not see our files.
    command.addAll(List.of("-I", "-c", script()));
    return new PythonSanitizer(List.copyOf(command));
  }

  @Override
  public synchronized Sanitized sanitize(String text, Optional<String> entryPoint) {
    ObjectNode request = JSON.createObjectNode().put("text", text);
    request.put("entry_point", entryPoint.orElse(null));

    try {
      return exchange(request);
    } catch (IOException first) {
      // The server may have been killed between two texts (say, by the kernel for memory).
      close();
      try {
        return exchange(request);
      } catch (IOException second) {
        close();
        second.addSuppressed(first);
        throw LockstepException.environment(
            "Cannot extract code with %s: it ended without an answer; check that it is Python 3.11 or newer with `%s --version`."
                .formatted(command.get(0), command.get(0)),
            second);
      }
    }
  }

  private Sanitized exchange(ObjectNode request) throws IOException {
    Server running = server;
    if (running == null) {
      running = new Server(new ProcessBuilder(command));
      server = running;
    }

    JsonNode answer = running.exchange(JSON.writeValueAsBytes(request));
    return new Sanitized(
        answer.required("program").textValue(),
        SanitizeReason.spelt(answer.required("reason").textValue()),
        answer.required("defines_entry_point").booleanValue());
  }

  /** Ends the process; a later call starts another. */
  @Override
  public synchronized void close() {
    if (server != null) {
      server.close();
      server = null;
    }
  }

  private static String script() {
    try (InputStream script = PythonSanitizer.class.getResourceAsStream("sanitize.py")) {
      if (script == null) {
        throw new IllegalStateException("sanitize.py is missing from the class path");
      }
      return new String(script.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("sanitize.py cannot be read", e);
    }
  }

  /** One running process and its two ends. */
  private static final class Server {

    private final Process process;
    private final OutputStream requests;
    private final BufferedReader answers;

    Server(ProcessBuilder builder) throws IOException {
      // Not inherited: a parser's complaint about untrusted text is no message to the operator.
      process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
      requests = process.getOutputStream();
      answers =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
    }

    JsonNode exchange(byte[] request) throws IOException {
      requests.write(request);
      requests.write('\n');
      requests.flush();
      String line = answers.readLine();
      if (line == null) {
        throw new IOException("the process ended");
      }
      try {
        return JSON.readTree(line);
      } catch (JsonProcessingException e) {
        throw new IOException("the process does not speak JSON: " + line, e);
      }
    }

    void close() {
      try {
        requests.close();
      } catch (IOException e) {
        // It is gone already, which is what was wanted.
        process.destroyForcibly();
      }

      try {
        if (!process.waitFor(CLOSE_SECONDS, TimeUnit.SECONDS)) {
          process.destroyForcibly();
        }
      } catch (InterruptedException e) {
        process.destroyForcibly();
        Thread.currentThread().interrupt();
      }
    }
  }
}
