/**
 * What people look at: a run's page ({@link ai.lockstep.jobs.report.ReportStage}), and the order in
 * which a sample was filled ({@link ai.lockstep.jobs.report.FillOrder}) as picture, animation and
 * in the terminal.
 *
 * <p>Everything is drawn from the tables. Sums are made by Spark; of single samples only a stated
 * few come to the driver.
 */
@NullMarked
package ai.lockstep.jobs.report;

import org.jspecify.annotations.NullMarked;
