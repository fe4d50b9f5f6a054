package ai.lockstep.jobs.wandb;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32;

/**
 * The framing of a {@code .wandb} file: LevelDB's log format after a header of W&amp;B's own.
 *
 * <p>The file is a row of blocks of 32,768 bytes, the first of which begins with the 7 bytes of the
 * header. A record is cut into chunks, none of which crosses a block's end: checksum (uint32),
 * length (uint16), type (uint8), data; little-endian. Fewer than 7 bytes at a block's end are
 * zeros.
 *
 * <p>Unlike LevelDB's, the checksum is the plain CRC-32 (IEEE) of type and data, not masked
 * (W&amp;B: wandb/sdk/internal/datastore.py, core/pkg/leveldb).
 */
final class TransactionLog implements Closeable {

  private static final int BLOCK_BYTES = 32_768;
  private static final int CHUNK_HEADER_BYTES = 7;

  /** ":W&B", the number 0xBEE1 and version 0. */
  private static final byte[] FILE_HEADER = {':', 'W', '&', 'B', (byte) 0xE1, (byte) 0xBE, 0};

  private static final byte FULL = 1;
  private static final byte FIRST = 2;
  private static final byte MIDDLE = 3;
  private static final byte LAST = 4;

  private final OutputStream out;

  /** Bytes of the current block that are written. */
  private int filled;

  /** Begins a file. */
  TransactionLog(OutputStream out) throws IOException {
    this.out = new BufferedOutputStream(out, BLOCK_BYTES);
    this.out.write(FILE_HEADER);
    filled = FILE_HEADER.length;
  }

  /** Appends a record. A block with just room for a chunk's header gets a chunk without data. */
  void append(byte[] record) throws IOException {
    int from = 0;
    boolean begins = true;
    do {
      if (BLOCK_BYTES - filled < CHUNK_HEADER_BYTES) {
        out.write(new byte[BLOCK_BYTES - filled]);
        filled = 0;
      }
      int length = Math.min(BLOCK_BYTES - filled - CHUNK_HEADER_BYTES, record.length - from);
      writeChunk(type(begins, from + length == record.length), record, from, length);
      from += length;
      begins = false;
    } while (from < record.length);
  }

  private static byte type(boolean begins, boolean ends) {
    if (begins) {
      return ends ? FULL : FIRST;
    }
    return ends ? LAST : MIDDLE;
  }

  private void writeChunk(byte type, byte[] record, int from, int length) throws IOException {
    CRC32 checksum = new CRC32();
    checksum.update(type);
    checksum.update(record, from, length);
    out.write(
        ByteBuffer.allocate(CHUNK_HEADER_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt((int) checksum.getValue())
            .putShort((short) length)
            .put(type)
            .array());
    out.write(record, from, length);
    filled = (filled + CHUNK_HEADER_BYTES + length) % BLOCK_BYTES;
  }

  /** Hands what is written to the operating system, so that a killed run keeps it. */
  void flush() throws IOException {
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
