/**
 * Text to token ids and back, exactly as Dream's slow Python class does it.
 *
 * <p>Start at {@link ai.lockstep.udf.tokenizer.DreamTokenizer}.
 */
@NullMarked
package ai.lockstep.udf.tokenizer;

import org.jspecify.annotations.NullMarked;
