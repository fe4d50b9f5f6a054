/** The golden vectors made by the Python references, as tests read them. */
@NullMarked
package ai.lockstep.udf.golden;

import org.jspecify.annotations.NullMarked;
