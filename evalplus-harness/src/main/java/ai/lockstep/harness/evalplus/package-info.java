/**
 * EvalPlus's files: samples to be judged and results.
 *
 * <p>Start at {@link ai.lockstep.harness.evalplus.SampleReader} and {@link
 * ai.lockstep.harness.evalplus.EvalResultWriter}. Tests stay JSON text throughout, as in {@link
 * ai.lockstep.datasets.Task}.
 */
@NullMarked
package ai.lockstep.harness.evalplus;

import org.jspecify.annotations.NullMarked;
