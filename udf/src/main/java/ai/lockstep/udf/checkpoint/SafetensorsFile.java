package ai.lockstep.udf.checkpoint;

import ai.lockstep.failure.LockstepException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads the header of a safetensors file: 8 bytes of header length (little-endian), the header as
 * JSON ({@code name -> dtype, shape, data_offsets}), then the tensors' bytes.
 *
 * <p>Everything is checked against the file's size here, so that a truncated download is found
 * before a device holds half a model.
 */
final class SafetensorsFile {

  /** The format's own limit, which keeps a corrupt length from asking for petabytes. */
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private static final int LENGTH_BYTES = 8;
  static final String METADATA = "__metadata__";

  private SafetensorsFile() {}

  /** The file's tensors by name, in the header's order. */
  static Map<String, StoredTensor> read(Path file) {
    Header header = header(file);
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : header.root.properties()) {
      if (!entry.getKey().equals(METADATA)) {
        tensors.put(
            entry.getKey(),
            tensor(file, entry.getKey(), entry.getValue(), header.dataStart, header.fileSize));
      }
    }

    return tensors;
  }

  /** What the file says of itself; empty when it says nothing. */
  static Map<String, String> metadata(Path file) {
    Map<String, String> metadata = new LinkedHashMap<>();
    header(file)
        .root
        .path(METADATA)
        .properties()
        .forEach(entry -> metadata.put(entry.getKey(), entry.getValue().asText()));
    return metadata;
  }

  /** The header, where the tensors' bytes begin, and where the file ends. */
  private record Header(JsonNode root, long dataStart, long fileSize) {}

  private static Header header(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size < LENGTH_BYTES) {
        throw corrupt(file, "it has %d bytes and no header".formatted(size));
      }
      long headerBytes = readFully(channel, 0, LENGTH_BYTES).getLong();
      if (headerBytes < 2 || headerBytes > Math.min(MAX_HEADER_BYTES, size - LENGTH_BYTES)) {
        throw corrupt(
            file, "its header claims %d bytes of a file of %d".formatted(headerBytes, size));
      }
      byte[] header = readFully(channel, LENGTH_BYTES, (int) headerBytes).array();

      return new Header(root(file, header), LENGTH_BYTES + headerBytes, size);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + file, e);
    }
  }

  private static JsonNode root(Path file, byte[] header) throws IOException {
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(header);
    } catch (JsonProcessingException e) {
      throw corrupt(file, "its header is not JSON");
    }
    if (root == null || !root.isObject()) {
      throw corrupt(file, "its header is not a JSON object");
    }
    return root;
  }

  private static StoredTensor tensor(
      Path file, String name, JsonNode entry, long dataStart, long fileSize) {
    JsonNode offsets = entry.path("data_offsets");
    if (!entry.path("shape").isArray() || offsets.size() != 2) {
      throw corrupt(file, "its header gives tensor %s no shape or place".formatted(name));
    }
    Dtype dtype =
        Arrays.stream(Dtype.values())
            .filter(candidate -> candidate.name().equals(entry.path("dtype").asText()))
            .findFirst()
            .orElseThrow(
                () ->
                    LockstepException.user(
                        "Cannot read %s: tensor %s has dtype %s; F32, F16 and BF16 are known. Save the checkpoint in one of these."
                            .formatted(file, name, entry.path("dtype").asText())));
    long[] shape = new long[entry.get("shape").size()];
    Arrays.setAll(shape, axis -> entry.get("shape").get(axis).asLong(-1));
    if (Arrays.stream(shape).anyMatch(length -> length < 0)) {
      throw corrupt(file, "tensor %s has shape %s".formatted(name, Arrays.toString(shape)));
    }
    long begin = offsets.get(0).asLong(-1);
    long end = offsets.get(1).asLong(-1);
    StoredTensor tensor = new StoredTensor(name, dtype, shape, file, dataStart + begin);
    if (begin < 0 || end - begin != tensor.byteCount()) {
      throw corrupt(
          file,
          "tensor %s of shape %s claims bytes %d to %d"
              .formatted(name, Arrays.toString(shape), begin, end));
    }
    if (dataStart + end > fileSize) {
      throw corrupt(
          file,
          "tensor %s ends at byte %d of a file of %d".formatted(name, dataStart + end, fileSize));
    }

    return tensor;
  }

  private static ByteBuffer readFully(FileChannel channel, long position, int count)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new IOException("File ends at byte " + (position + buffer.position()));
      }
    }

    return buffer.flip();
  }

  private static LockstepException corrupt(Path file, String reason) {
    return LockstepException.user(
        "Cannot read %s: %s. The file is damaged or incomplete: copy or download it again."
            .formatted(file, reason));
  }
}
