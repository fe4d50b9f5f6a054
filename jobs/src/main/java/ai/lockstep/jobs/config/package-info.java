/**
 * The configuration of a run: YAML files and the overrides of a command line go in, typed and
 * checked records come out.
 *
 * <p>Composition behaves like Hydra 1.3 and OmegaConf (defaults lists, group choices, override
 * grammar, interpolation, sweeps), because that is what users of such files expect. Start at {@link
 * ai.lockstep.jobs.config.Composer}; {@link ai.lockstep.jobs.config.RunConfig} is what jobs read.
 * Everything here runs on the driver and imports neither Spark nor DJL.
 */
@NullMarked
package ai.lockstep.jobs.config;

import org.jspecify.annotations.NullMarked;
