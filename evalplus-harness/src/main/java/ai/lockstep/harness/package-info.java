/** Judges programs with EvalPlus's verdicts inside a sandbox. */
@NullMarked
package ai.lockstep.harness;

import org.jspecify.annotations.NullMarked;
