package ai.lockstep.udf.model.torch;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a TorchScript archive from source text: a zip of stored entries with the program, a pickle
 * of one object's attributes and a version. So a model's program lives in the repository as text,
 * and nothing is exported with Python.
 *
 * <p>Format: PyTorch, torch/csrc/jit/serialization (export_module.cpp, import.cpp).
 */
public final class TorchScriptArchive {

  /** File format version that PyTorch 1.10 and later write for programs without new operators. */
  private static final String VERSION = "10\n";

  private TorchScriptArchive() {}

  /**
   * An archive whose module is an object of a class in the program.
   *
   * @param className a class of the program
   * @param source the program
   * @param attributes name to Boolean, Long, Double or {@link Attribute#EMPTY_TENSOR_LIST}
   */
  public static byte[] of(String className, String source, Map<String, Object> attributes) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      store(zip, className + "/data.pkl", pickledObject(className, attributes));
      store(zip, className + "/code/__torch__.py", source.getBytes(StandardCharsets.UTF_8));
      store(zip, className + "/constants.pkl", pickledEmptyTuple());
      store(zip, className + "/version", VERSION.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** A value that is no Java object. */
  public enum Attribute {
    /** An empty list of tensors. */
    EMPTY_TENSOR_LIST
  }

  /** PyTorch reads the archive in place, so entries must not be deflated. */
  private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }

  private static byte[] pickledEmptyTuple() {
    return new byte[] {(byte) 0x80, 2, ')', '.'};
  }

  /** Pickle protocol 2: class, empty tuple, NEWOBJ, a dictionary of the attributes, BUILD. */
  private static byte[] pickledObject(String className, Map<String, Object> attributes)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.write(new byte[] {(byte) 0x80, 2});
    global(out, "__torch__", className);
    out.write(new byte[] {')', (byte) 0x81, '}', '('});
    for (Map.Entry<String, Object> attribute : attributes.entrySet()) {
      text(out, attribute.getKey());
      value(out, attribute.getValue());
    }
    out.write(new byte[] {'u', 'b', '.'});
    return bytes.toByteArray();
  }

  private static void value(DataOutputStream out, Object value) throws IOException {
    if (value instanceof Boolean flag) {
      out.write(flag ? 0x88 : 0x89);
    } else if (value instanceof Long number) {
      out.write('J');
      out.writeInt(Integer.reverseBytes(Math.toIntExact(number)));
    } else if (value instanceof Double number) {
      out.write('G');
      out.writeDouble(number);
    } else if (value == Attribute.EMPTY_TENSOR_LIST) {
      global(out, "torch.jit._pickle", "build_tensorlist");
      out.write(new byte[] {']', (byte) 0x85, 'R'});
    } else {
      throw new IllegalArgumentException("Cannot pickle " + value);
    }
  }

  private static void global(DataOutputStream out, String module, String name) throws IOException {
    out.write(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private static void text(DataOutputStream out, String text) throws IOException {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    out.write('X');
    out.writeInt(Integer.reverseBytes(utf8.length));
    out.write(utf8);
  }
}
