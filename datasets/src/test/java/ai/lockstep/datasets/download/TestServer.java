package ai.lockstep.datasets.download;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A web server on this machine whose answers a test writes down, and which keeps the requests. */
public final class TestServer implements AutoCloseable {

  /** What the server does with a request. */
  @FunctionalInterface
  public interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Headers> requests = new CopyOnWriteArrayList<>();

  private TestServer(HttpServer server) {
    this.server = server;
  }

  /**
   * A server that answers its n-th request with the n-th answer and every later one with the last.
   */
  public static TestServer answering(Answer... answers) {
    try {
      HttpServer server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      TestServer result = new TestServer(server);
      server.setExecutor(result.threads);
      server.createContext(
          "/",
          exchange -> {
            int index = Math.min(result.requests.size(), answers.length - 1);
            result.requests.add(exchange.getRequestHeaders());

            try (exchange) {
              answers[index].to(exchange);
            }
          });
      server.start();
      return result;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Answers with the whole content, or with the part that the request's range asks for. */
  public static Answer content(byte[] content, String etag) {
    return exchange -> {
      String range = exchange.getRequestHeaders().getFirst("Range");
      String ifRange = exchange.getRequestHeaders().getFirst("If-Range");
      exchange.getResponseHeaders().set("ETag", etag);

      if (range == null || (ifRange != null && !ifRange.equals(etag))) {
        exchange.sendResponseHeaders(200, content.length);
        exchange.getResponseBody().write(content);
        return;
      }

      int first = Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));

      if (first >= content.length) {
        exchange.getResponseHeaders().set("Content-Range", "bytes */" + content.length);
        exchange.sendResponseHeaders(416, -1);
        return;
      }

      exchange
          .getResponseHeaders()
          .set(
              "Content-Range",
              "bytes " + first + "-" + (content.length - 1) + "/" + content.length);
      exchange.sendResponseHeaders(206, content.length - first);
      exchange.getResponseBody().write(content, first, content.length - first);
    };
  }

  /** Announces the whole content and closes the connection after its first bytes. */
  public static Answer cutAfter(int bytes, byte[] content, String etag) {
    return exchange -> {
      exchange.getResponseHeaders().set("ETag", etag);
      exchange.sendResponseHeaders(200, content.length);
      OutputStream body = exchange.getResponseBody();
      body.write(content, 0, bytes);
      body.flush();
    };
  }

  /** Answers with nothing but a status. */
  public static Answer status(int status) {
    return exchange -> exchange.sendResponseHeaders(status, -1);
  }

  /** Sends the client elsewhere. */
  public static Answer redirect(URI to) {
    return exchange -> {
      exchange.getResponseHeaders().set("Location", to.toString());
      exchange.sendResponseHeaders(302, -1);
    };
  }

  /** The address of a path here; the path starts with a slash. */
  public URI uri(String path) {
    return URI.create("http://localhost:" + server.getAddress().getPort() + path);
  }

  /** The same, under the host's number: another host to anyone who compares names. */
  public URI uriUnderOtherHostName(String path) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
  }

  /** The headers of every request so far, in order. */
  public List<Headers> requests() {
    return List.copyOf(requests);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
