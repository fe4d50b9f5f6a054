/**
 * The command line: arguments, exit codes, progress and the printed tables. Start at {@link
 * ai.lockstep.jobs.cli.JobMain}.
 */
@NullMarked
package ai.lockstep.jobs.cli;

import org.jspecify.annotations.NullMarked;
