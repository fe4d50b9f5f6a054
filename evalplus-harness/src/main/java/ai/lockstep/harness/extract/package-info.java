/**
 * From a model's answer to the program that is run.
 *
 * <p>Start at {@link ai.lockstep.harness.extract.CompletionExtractor} for our own completions and
 * at {@link ai.lockstep.harness.extract.Sanitizer} for EvalPlus's {@code sanitize}, whose rules are
 * in the resource {@code sanitize.py}.
 */
@NullMarked
package ai.lockstep.harness.extract;

import org.jspecify.annotations.NullMarked;
