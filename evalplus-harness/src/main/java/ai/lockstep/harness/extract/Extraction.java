package ai.lockstep.harness.extract;

/**
 * The program that stands for an answer.
 *
 * @param program whole program text; empty for a blank answer
 * @param reason how it was found
 */
public record Extraction(String program, ExtractionReason reason) {}
