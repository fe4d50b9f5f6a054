/**
 * A run's folder and where its rows come from: the manifest that keeps two different runs from
 * sharing one output folder, and the versions written with every run.
 */
@NullMarked
package ai.lockstep.jobs.run;

import org.jspecify.annotations.NullMarked;
