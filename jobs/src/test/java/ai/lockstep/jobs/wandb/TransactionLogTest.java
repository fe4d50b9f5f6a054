package ai.lockstep.jobs.wandb;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.jobs.wandb.WandbFile.Chunk;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TransactionLogTest {

  /** What the first block has room for behind the file's header and one chunk's. */
  private static final int FIRST_ROOM = 32_768 - 7 - 7;

  private static byte[] log(byte[]... records) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TransactionLog log = new TransactionLog(out)) {
      for (byte[] record : records) {
        log.append(record);
      }
    }
    return out.toByteArray();
  }

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  @Test
  void theReadersChecksumIsThePublishedOne() {
    // CRC-32's check value: that of "123456789" is CBF43926.
    assertThat(WandbFile.crc32((byte) '1', "23456789".getBytes(US_ASCII))).isEqualTo(0xCBF43926L);
  }

  @Test
  void aRecordStandsBehindItsChecksumLengthAndType() throws IOException {
    // Python: zlib.crc32(b"abc", zlib.crc32(b"\x01")) == 0x539D20A9
    assertThat(HexFormat.of().formatHex(log("abc".getBytes(US_ASCII))))
        .isEqualTo("3a572642e1be00" + "a9209d53" + "0300" + "01" + "616263");
  }

  @Test
  void aRecordOfThreeBlocksIsFirstMiddleLast() throws IOException {
    byte[] record = bytes(70_000);

    List<Chunk> chunks = WandbFile.chunks(log(record));

    assertThat(chunks).extracting(Chunk::type).containsExactly(2, 3, 4);
    assertThat(chunks).extracting(Chunk::at).containsExactly(7, 32_768, 65_536);
    assertThat(chunks)
        .extracting(chunk -> chunk.data().length)
        .containsExactly(32_754, 32_761, 70_000 - 32_754 - 32_761);
    assertThat(WandbFile.records(log(record))).containsExactly(record);
  }

  @Test
  void aRecordThatJustFitsEndsTheBlock() throws IOException {
    List<Chunk> chunks = WandbFile.chunks(log(bytes(FIRST_ROOM), bytes(1)));

    assertThat(chunks).extracting(Chunk::type).containsExactly(1, 1);
    assertThat(chunks).extracting(Chunk::at).containsExactly(7, 32_768);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6})
  void aBlocksRestTooShortForAHeaderIsZeros(int rest) throws IOException {
    byte[] file = log(bytes(FIRST_ROOM - rest), bytes(10));

    assertThat(WandbFile.chunks(file)).extracting(Chunk::at).containsExactly(7, 32_768);
    assertThat(file).hasSize(32_768 + 7 + 10);
  }

  @ParameterizedTest
  @CsvSource({"7, 0", "8, 1"})
  void aBlocksRestThatHoldsAHeaderGetsAChunk(int rest, int length) throws IOException {
    byte[] record = bytes(10);

    List<Chunk> chunks = WandbFile.chunks(log(bytes(FIRST_ROOM - rest), record));

    assertThat(chunks).extracting(Chunk::type).containsExactly(1, 2, 4);
    assertThat(chunks)
        .extracting(chunk -> chunk.data().length)
        .containsExactly(FIRST_ROOM - rest, length, 10 - length);
    assertThat(WandbFile.records(log(bytes(FIRST_ROOM - rest), record)).get(1)).isEqualTo(record);
  }

  @Test
  void anEmptyRecordIsAChunkWithoutData() throws IOException {
    assertThat(WandbFile.records(log(new byte[0], bytes(3))))
        .containsExactly(new byte[0], bytes(3));
  }
}
