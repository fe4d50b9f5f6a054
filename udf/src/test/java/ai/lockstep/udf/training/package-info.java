/**
 * How the bundled model is trained: what its corpus may hold. Start at {@code TrainingCorpusTest}.
 */
@NullMarked
package ai.lockstep.udf.training;

import org.jspecify.annotations.NullMarked;
