/**
 * Fetching files over HTTP(S) so that a cut connection costs nothing and a wrong file is never
 * used.
 *
 * <p>Start at {@link ai.lockstep.datasets.download.Downloader}. Nothing here knows what is fetched:
 * benchmarks and checkpoints both come through it. Imports nothing but the JDK and {@code
 * ai.lockstep.failure}.
 */
@NullMarked
package ai.lockstep.datasets.download;

import org.jspecify.annotations.NullMarked;
