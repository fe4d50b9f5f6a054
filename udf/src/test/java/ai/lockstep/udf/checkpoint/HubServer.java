package ai.lockstep.udf.checkpoint;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A model hub of one model on this machine: small files come from the hub itself, safetensors by a
 * redirect from a storage server, which is the same server under another host name.
 */
final class HubServer implements AutoCloseable {

  private static final String STORAGE = "/storage/";

  private final HttpServer server;
  private final String model;
  private final String commit;
  private final Map<String, byte[]> files = new TreeMap<>();
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private Optional<String> token = Optional.empty();
  private Optional<byte[]> damaged = Optional.empty();

  /**
   * What a client asked.
   *
   * @param line method and path
   * @param authorization the header's value, or nothing
   * @param range the header's value, or nothing
   */
  record Request(String line, String authorization, String range) {}

  /** Serves a model whose branch {@code main}, tag {@code v1} and commit are one version. */
  HubServer(String model, String commit, Map<String, byte[]> files) {
    this.model = model;
    this.commit = commit;
    this.files.putAll(files);
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.createContext("/", this::answer);
    server.start();
  }

  /** What HF_ENDPOINT should be. */
  String endpoint() {
    return "http://localhost:" + server.getAddress().getPort();
  }

  /** From now on, only who shows this token is answered. */
  void requireToken(String required) {
    token = Optional.of(required);
  }

  /** From now on, the storage server sends these bytes whatever it is asked for. */
  void damageStorage(byte[] bytes) {
    damaged = Optional.of(bytes);
  }

  /** All requests so far, in order. */
  List<Request> requests() {
    return List.copyOf(requests);
  }

  /** SHA-256 in hex. */
  static String sha256(byte[] bytes) {
    return digest("SHA-256", bytes);
  }

  /** What the hub calls the content of a small file. */
  static String smallFileId(byte[] bytes) {
    return digest("SHA-1", bytes);
  }

  private static String digest(String algorithm, byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    requests.add(
        new Request(
            exchange.getRequestMethod() + " " + path,
            header(exchange, "Authorization"),
            header(exchange, "Range")));
    try (exchange) {
      if (path.startsWith(STORAGE)) {
        send(exchange, damaged.orElseGet(() -> files.get(path.substring(STORAGE.length()))));
        return;
      }
      boolean welcome =
          token.isEmpty() || header(exchange, "Authorization").equals("Bearer " + token.get());
      if (!welcome) {
        exchange.sendResponseHeaders(401, -1);
        return;
      }
      for (String revision : List.of("main", "v1", commit)) {
        String folder = "/%s/resolve/%s/".formatted(model, revision);
        if (path.startsWith(folder) && files.containsKey(path.substring(folder.length()))) {
          file(exchange, path.substring(folder.length()));
          return;
        }
      }
      exchange.sendResponseHeaders(404, -1);
    }
  }

  private void file(HttpExchange exchange, String name) throws IOException {
    byte[] content = files.get(name);
    exchange.getResponseHeaders().set("X-Repo-Commit", commit);
    if (name.endsWith(".safetensors")) {
      exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + sha256(content) + "\"");
      exchange.getResponseHeaders().set("X-Linked-Size", "" + content.length);
      String storage = "http://127.0.0.1:" + server.getAddress().getPort() + STORAGE + name;
      exchange.getResponseHeaders().set("Location", URI.create(storage).toString());
      exchange.sendResponseHeaders(302, -1);
      return;
    }
    exchange.getResponseHeaders().set("ETag", "\"" + smallFileId(content) + "\"");
    send(exchange, content);
  }

  private static void send(HttpExchange exchange, byte[] content) throws IOException {
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", "" + content.length);
      exchange.sendResponseHeaders(200, -1);
      return;
    }
    String range = header(exchange, "Range");
    int first =
        range.isEmpty() ? 0 : Integer.parseInt(range.replace("bytes=", "").replace("-", ""));
    if (first > 0) {
      exchange
          .getResponseHeaders()
          .set(
              "Content-Range",
              "bytes %d-%d/%d".formatted(first, content.length - 1, content.length));
    }
    exchange.sendResponseHeaders(first > 0 ? 206 : 200, content.length - first);
    exchange.getResponseBody().write(content, first, content.length - first);
  }

  private static String header(HttpExchange exchange, String name) {
    return Optional.ofNullable(exchange.getRequestHeaders().getFirst(name)).orElse("");
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
