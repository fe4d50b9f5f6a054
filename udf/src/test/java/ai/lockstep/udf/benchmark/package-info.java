/** Measurements that are run by hand: {@link ai.lockstep.udf.benchmark.DecodeBenchmark}. */
@NullMarked
package ai.lockstep.udf.benchmark;

import org.jspecify.annotations.NullMarked;
