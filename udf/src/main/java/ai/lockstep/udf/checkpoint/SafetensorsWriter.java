package ai.lockstep.udf.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/** Writes float32 matrices as safetensors; {@link SafetensorsFile} reads them. */
final class SafetensorsWriter {

  private SafetensorsWriter() {}

  /** A whole file, below 2 GiB. */
  static byte[] bytes(Map<String, String> metadata, Map<String, LoraFactors.Factor> tensors) {
    ObjectNode header = new ObjectMapper().createObjectNode();
    ObjectNode remarks = header.putObject(SafetensorsFile.METADATA);
    new TreeMap<>(metadata).forEach(remarks::put);
    long offset = 0;
    for (Map.Entry<String, LoraFactors.Factor> tensor : tensors.entrySet()) {
      ObjectNode entry = header.putObject(tensor.getKey());
      entry.put("dtype", "F32");
      ArrayNode shape = entry.putArray("shape");
      for (long size : tensor.getValue().shape()) {
        shape.add(size);
      }
      long end = offset + 4L * tensor.getValue().values().length;
      entry.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
    // The numbers begin at a multiple of eight bytes; blanks fill up.
    int length = (text.length + 7) / 8 * 8;
    ByteBuffer file =
        ByteBuffer.allocate(Math.toIntExact(8 + length + offset)).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(length).put(text);
    file.put(" ".repeat(length - text.length).getBytes(StandardCharsets.US_ASCII));
    for (LoraFactors.Factor tensor : tensors.values()) {
      file.asFloatBuffer().put(tensor.values());
      file.position(file.position() + 4 * tensor.values().length);
    }
    return file.array();
  }
}
