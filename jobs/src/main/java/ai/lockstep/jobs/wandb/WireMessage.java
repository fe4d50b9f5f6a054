package ai.lockstep.jobs.wandb;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Optional;

/**
 * A protobuf message in the making: fields by number, in the order of the calls. As in proto3, an
 * empty text, a zero and a false are not written.
 */
final class WireMessage {

  private static final int TIMESTAMP_SECONDS = 1;
  private static final int TIMESTAMP_NANOS = 2;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final CodedOutputStream out = CodedOutputStream.newInstance(bytes);

  /** Writes one field. */
  @FunctionalInterface
  private interface Field {
    void write() throws IOException;
  }

  private WireMessage write(Field field) {
    try {
      field.write();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException("Memory is always writable", e);
    }
  }

  WireMessage text(int field, String value) {
    return value.isEmpty() ? this : element(field, value);
  }

  WireMessage text(int field, Optional<String> value) {
    return text(field, value.orElse(""));
  }

  /** An element of a repeated field, which may be empty. */
  WireMessage element(int field, String value) {
    return write(() -> out.writeString(field, value));
  }

  /** An int32, int64, uint32 or enum. */
  WireMessage integer(int field, long value) {
    return value == 0 ? this : write(() -> out.writeInt64(field, value));
  }

  /** A bool that is true. */
  WireMessage set(int field) {
    return write(() -> out.writeBool(field, true));
  }

  /** A message within this one, written even if it is empty. */
  WireMessage message(int field, WireMessage value) {
    return write(() -> out.writeByteArray(field, value.toByteArray()));
  }

  /** A {@code google.protobuf.Timestamp}. */
  WireMessage timestamp(int field, Instant at) {
    return message(
        field,
        new WireMessage()
            .integer(TIMESTAMP_SECONDS, at.getEpochSecond())
            .integer(TIMESTAMP_NANOS, at.getNano()));
  }

  byte[] toByteArray() {
    write(out::flush);
    return bytes.toByteArray();
  }
}
