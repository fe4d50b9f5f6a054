package ai.lockstep.jobs.wandb;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a {@code .wandb} file by its description alone: the log's framing, and protobuf's wire
 * format. Shares no code with the writer, and fails at the first byte that is not as described.
 */
public final class WandbFile {

  private static final int BLOCK = 32_768;

  /** One chunk of the log. */
  public record Chunk(int at, int type, byte[] data) {}

  /** One field of a message: its number, its wire type and its bytes or number. */
  public record Field(int number, int wireType, long value, byte[] bytes) {

    public String text() {
      assertThat(wireType).isEqualTo(2);
      return new String(bytes, StandardCharsets.UTF_8);
    }

    public Message message() {
      assertThat(wireType).isEqualTo(2);
      return Message.parse(bytes);
    }
  }

  /** A message's fields in the order of the bytes. */
  public record Message(List<Field> fields) {

    static Message parse(byte[] bytes) {
      List<Field> fields = new ArrayList<>();
      int[] at = {0};
      while (at[0] < bytes.length) {
        long tag = varint(bytes, at);
        int number = (int) (tag >>> 3);
        int wireType = (int) (tag & 7);
        if (wireType == 0) {
          fields.add(new Field(number, wireType, varint(bytes, at), new byte[0]));
        } else {
          assertThat(wireType).as("wire type of field %d", number).isEqualTo(2);
          int length = (int) varint(bytes, at);
          fields.add(new Field(number, 2, 0, Arrays.copyOfRange(bytes, at[0], at[0] + length)));
          at[0] += length;
        }
      }
      assertThat(at[0]).isEqualTo(bytes.length);
      return new Message(fields);
    }

    private static long varint(byte[] bytes, int[] at) {
      long value = 0;
      for (int shift = 0; ; shift += 7) {
        byte next = bytes[at[0]++];
        value |= (long) (next & 0x7F) << shift;
        if (next >= 0) {
          return value;
        }
      }
    }

    public List<Field> all(int number) {
      return fields.stream().filter(field -> field.number == number).toList();
    }

    public Field only(int number) {
      assertThat(all(number)).hasSize(1);
      return all(number).get(0);
    }

    /** Numbers of the fields, in order. */
    public List<Integer> numbers() {
      return fields.stream().map(Field::number).toList();
    }

    /**
     * Keys (1, or 2 when nested, joined by points) and JSON values (16) of the items of a field.
     */
    public Map<String, String> items(int number) {
      Map<String, String> items = new LinkedHashMap<>();
      for (Field field : all(number)) {
        Message item = field.message();
        List<String> nested = item.all(2).stream().map(Field::text).toList();
        String key = nested.isEmpty() ? item.only(1).text() : String.join(".", nested);
        assertThat(items.put(key, item.only(16).text())).isNull();
      }
      return items;
    }
  }

  private WandbFile() {}

  /** The chunks of a file, with checksums and padding checked. */
  static List<Chunk> chunks(byte[] file) {
    assertThat(Arrays.copyOf(file, 7)).containsExactly(0x3A, 0x57, 0x26, 0x42, 0xE1, 0xBE, 0x00);
    List<Chunk> chunks = new ArrayList<>();
    int at = 7;
    while (at < file.length) {
      int room = BLOCK - at % BLOCK;
      if (room < 7) {
        for (int i = 0; i < room && at < file.length; i++, at++) {
          assertThat(file[at]).as("padding at %d", at).isZero();
        }
        continue;
      }
      long checksum = littleEndian(file, at, 4);
      int length = (int) littleEndian(file, at + 4, 2);
      int type = file[at + 6];
      assertThat(7 + length).as("chunk at %d stays in its block", at).isLessThanOrEqualTo(room);
      byte[] data = Arrays.copyOfRange(file, at + 7, at + 7 + length);
      assertThat(crc32((byte) type, data)).as("checksum at %d", at).isEqualTo(checksum);
      chunks.add(new Chunk(at, type, data));
      at += 7 + length;
    }
    return chunks;
  }

  private static long littleEndian(byte[] file, int at, int bytes) {
    long value = 0;
    for (int i = bytes - 1; i >= 0; i--) {
      value = value << 8 | file[at + i] & 0xFF;
    }
    return value;
  }

  /** CRC-32 by its definition, bit by bit: reflected polynomial 0xEDB88320, not masked. */
  static long crc32(byte type, byte[] data) {
    int crc = ~0;
    for (int i = -1; i < data.length; i++) {
      crc ^= (i < 0 ? type : data[i]) & 0xFF;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ 0xEDB88320;
      }
    }
    return ~crc & 0xFFFF_FFFFL;
  }

  /** The records that chunks make up: 1 whole, or 2, any number of 3, and 4. */
  static List<byte[]> records(byte[] file) {
    List<byte[]> records = new ArrayList<>();
    ByteArrayOutputStream open = null;
    for (Chunk chunk : chunks(file)) {
      boolean begins = chunk.type == 1 || chunk.type == 2;
      assertThat(open == null).as("chunk at %d begins a record", chunk.at).isEqualTo(begins);
      open = begins ? new ByteArrayOutputStream() : open;
      open.writeBytes(chunk.data);
      if (chunk.type == 1 || chunk.type == 4) {
        records.add(open.toByteArray());
        open = null;
      }
    }
    assertThat(open).as("an unfinished record").isNull();
    return records;
  }

  /** The records as messages, with their numbers 1, 2, 3, ... checked and taken off. */
  public static List<Field> messages(byte[] file) {
    List<Field> messages = new ArrayList<>();
    for (byte[] record : records(file)) {
      Message message = Message.parse(record);
      assertThat(message.fields).hasSize(2);
      assertThat(message.only(1).value).isEqualTo(messages.size() + 1);
      messages.add(message.fields.get(1));
    }
    return messages;
  }
}
