/** A small real model for tests of decoding and replicas. */
@NullMarked
package ai.lockstep.udf.toy;

import org.jspecify.annotations.NullMarked;
