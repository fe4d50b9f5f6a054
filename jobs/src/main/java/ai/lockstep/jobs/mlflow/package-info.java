/**
 * Reports a run to a tracking server of MLflow, through MLflow's own client. Start at {@link
 * ai.lockstep.jobs.mlflow.MlflowTracker}. Driver only.
 */
@NullMarked
package ai.lockstep.jobs.mlflow;

import org.jspecify.annotations.NullMarked;
