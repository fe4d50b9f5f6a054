package ai.lockstep.udf.decode;

import ai.lockstep.udf.model.Alignment;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.Pass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What one row looks like right now: fixed context (prompt, markers) and named {@linkplain Block
 * blocks} of positions, masked until a token is written there.
 *
 * <p>A mask token in the context is context: only positions of blocks are ever {@linkplain #masks
 * masked}. The canvas also remembers which tokens changed since the model last {@linkplain #read
 * read} them, so that cached decoding can feed exactly those again.
 *
 * <p>Used by one thread at a time.
 */
final class Canvas {

  private final int maskId;
  private final Alignment alignment;
  private final int promptLength;
  private final List<Block> blocks = new ArrayList<>();
  private final BitSet open = new BitSet();
  private final BitSet unread = new BitSet();
  private int[] tokens;

  private Canvas(int[] promptIds, int maskId, Alignment alignment) {
    this.tokens = promptIds;
    this.promptLength = promptIds.length;
    this.maskId = maskId;
    this.alignment = alignment;
    unread.set(0, promptIds.length);
  }

  /**
   * A row that holds only its prompt so far.
   *
   * @param room positions that will be appended; prompt and room must fit into the context
   * @param remedy what the user can lower, for the error: {@code decode.r_length or
   *     decode.a_length}
   * @throws IllegalArgumentException with a sentence for the user when the row cannot be decoded
   */
  static Canvas forPrompt(
      DecodeRequest request, ModelSpec spec, Alignment alignment, int room, String remedy) {
    int[] promptIds = request.promptIds();
    if (promptIds.length + room > spec.contextLength()) {
      throw new IllegalArgumentException(
          "Cannot decode row %s: its prompt of %d tokens and %d positions to fill exceed the"
                  .formatted(request.id(), promptIds.length, room)
              + " model's context of %d. Shorten the prompt or lower %s."
                  .formatted(spec.contextLength(), remedy));
    }
    for (int id : promptIds) {
      if (id < 0 || id >= spec.vocabSize()) {
        throw new IllegalArgumentException(
            "Cannot decode row %s: its prompt holds id %d, and the model's ids are 0 to %d."
                .formatted(request.id(), id, spec.vocabSize() - 1));
      }
    }

    return new Canvas(promptIds, spec.maskId(), alignment);
  }

  /**
   * A row of its prompt and one block of masks, named {@code A}.
   *
   * @throws IllegalArgumentException with a sentence for the user when the row cannot be decoded
   */
  static Canvas withRegion(DecodeRequest request, ModelSpec spec, Alignment alignment, int length) {
    Canvas canvas = forPrompt(request, spec, alignment, length, "model.generation.max_new_tokens");
    canvas.appendBlock("A", length);

    return canvas;
  }

  /** Appends tokens that stay as they are. */
  void appendContext(int[] ids) {
    int end = tokens.length;
    tokens = Arrays.copyOf(tokens, end + ids.length);
    System.arraycopy(ids, 0, tokens, end, ids.length);
    unread.set(end, tokens.length);
  }

  /** Appends a block of masks. */
  Block appendBlock(String name, int length) {
    Block block = new Block(name, tokens.length, length);
    blocks.add(block);
    appendMasks(length);

    return block;
  }

  /** Makes the last block longer by some masks; returns the new part under the block's name. */
  Block extendLastBlock(int length) {
    Block last = blocks.remove(blocks.size() - 1);
    blocks.add(new Block(last.name(), last.start(), last.length() + length));
    appendMasks(length);

    return new Block(last.name(), last.end(), length);
  }

  private void appendMasks(int length) {
    int end = tokens.length;
    tokens = Arrays.copyOf(tokens, end + length);
    Arrays.fill(tokens, end, tokens.length, maskId);
    open.set(end, tokens.length);
    unread.set(end, tokens.length);
  }

  /** Writes a token; a mask token opens the position again. */
  void write(int position, int token) {
    if (tokens[position] == token) {
      return;
    }
    tokens[position] = token;
    unread.set(position);
    open.set(position, token == maskId && blockAt(position) >= 0);
  }

  /** Number of positions. */
  int length() {
    return tokens.length;
  }

  /** Positions of the prompt: 0 (inclusive) to this (exclusive). */
  int promptLength() {
    return promptLength;
  }

  /** Id at a position. */
  int token(int position) {
    return tokens[position];
  }

  /** A copy of the ids. */
  int[] tokens() {
    return tokens.clone();
  }

  /** A copy of the ids with masks in place of the prompt. */
  int[] withoutPrompt() {
    int[] ids = tokens();
    Arrays.fill(ids, 0, promptLength, maskId);

    return ids;
  }

  /** The mask token. */
  int maskId() {
    return maskId;
  }

  /** Whether a position of a block waits for its token. */
  boolean isMasked(int position) {
    return open.get(position);
  }

  /** The blocks in order. */
  List<Block> blocks() {
    return List.copyOf(blocks);
  }

  /** Name of the block a position lies in. */
  String blockName(int position) {
    int index = blockAt(position);
    if (index < 0) {
      throw new IllegalArgumentException("Position " + position + " lies in no block");
    }

    return blocks.get(index).name();
  }

  /** Whether a position lies in a block. */
  boolean isInBlock(int position) {
    return blockAt(position) >= 0;
  }

  private int blockAt(int position) {
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      if (block.start() <= position && position < block.end()) {
        return i;
      }
    }

    return -1;
  }

  /** The masked positions of a span, ascending. */
  int[] masks(Block span) {
    return open.stream().filter(i -> span.start() <= i && i < span.end()).toArray();
  }

  /** The masked positions of several spans, ascending. */
  int[] masks(List<Block> spans) {
    return spans.stream().flatMapToInt(span -> IntStream.of(masks(span))).sorted().toArray();
  }

  /** Whether any block still has masks. */
  boolean hasMasks() {
    return !open.isEmpty();
  }

  /** Whether a span still has masks. */
  boolean hasMasks(Block span) {
    int next = open.nextSetBit(span.start());

    return next >= 0 && next < span.end();
  }

  /** A pass that reads the whole row. */
  Pass fullPass(int[] targets) {
    return Pass.full(tokens, targets, alignment);
  }

  /**
   * A pass that reads the positions {@code from} (inclusive) to {@code to} (exclusive), and every
   * token elsewhere that changed since the model last read it.
   */
  Pass windowPass(int from, int to, int[] targets) {
    BitSet window = (BitSet) unread.clone();
    window.set(from, to);

    return Pass.window(tokens, window.stream().toArray(), targets, alignment);
  }

  /** The position whose output predicts a target. */
  int source(int target) {
    return alignment.source(target);
  }

  /** Notes that a pass read these positions as they are now. */
  void read(Pass pass) {
    for (int i = 0; i < pass.windowLength(); i++) {
      unread.clear(pass.windowPosition(i));
    }
  }
}
