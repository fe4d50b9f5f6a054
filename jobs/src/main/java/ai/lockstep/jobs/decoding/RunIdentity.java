package ai.lockstep.jobs.decoding;

import java.io.Serializable;

/**
 * Where a completion comes from.
 *
 * @param runId {@code run.id}
 * @param dataset {@code dataset.name}, or {@code prompts}
 * @param model hub name or folder of the checkpoint
 * @param modelDigest what distinguishes the checkpoint's content
 */
public record RunIdentity(String runId, String dataset, String model, String modelDigest)
    implements Serializable {}
