package ai.lockstep.harness.extract;

/**
 * What {@link Sanitizer} made of a text.
 *
 * @param program EvalPlus's sanitised text
 * @param reason how it came about
 * @param definesEntryPoint whether executing the program may bind the entry point in its globals;
 *     false when no entry point was given
 */
public record Sanitized(String program, SanitizeReason reason, boolean definesEntryPoint) {}
