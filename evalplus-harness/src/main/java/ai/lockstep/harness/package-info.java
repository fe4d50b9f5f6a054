/**
 * Runs programs against a task's tests in a sandbox and gives EvalPlus's verdicts.
 *
 * <p>Start at {@link ai.lockstep.harness.Harness}: open one for the JVM with {@link
 * ai.lockstep.harness.HarnessSettings}, then {@code judge} programs from any thread. The
 * candidate's process returns values only; expected values and the comparison stay outside of it.
 * The Python sides are resources of this package: {@code server.py} (forks a fresh process ahead of
 * every run), {@code worker.py} (loads the program and calls it), {@code frames.py} (how it
 * reports), {@code judge.py} (compares).
 *
 * <p>May import {@code ai.lockstep.datasets} and {@code ai.lockstep.failure}; never Spark or DJL.
 */
@NullMarked
package ai.lockstep.harness;

import org.jspecify.annotations.NullMarked;
