/**
 * Where the time of decoding goes: what is measured of a configuration, and the table, trace and
 * plot made of it. Start at {@link ai.lockstep.jobs.profile.ConfigurationProfile}.
 */
@NullMarked
package ai.lockstep.jobs.profile;

import org.jspecify.annotations.NullMarked;
