/**
 * What policy optimisation asks of a model beside the decoded tokens. Start at {@link
 * ai.lockstep.udf.rollout.LogProbabilityEstimate}. Pure Java: knows the model's interface and what
 * a replica takes rows as, neither DJL nor Spark.
 */
@NullMarked
package ai.lockstep.udf.rollout;

import org.jspecify.annotations.NullMarked;
