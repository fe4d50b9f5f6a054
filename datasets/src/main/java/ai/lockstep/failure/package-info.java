/** How a lockstep command fails: one exception, whose category decides the exit code. */
@NullMarked
package ai.lockstep.failure;

import org.jspecify.annotations.NullMarked;
