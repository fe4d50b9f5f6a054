package ai.lockstep.datasets;

import ai.lockstep.failure.LockstepException;
import java.util.Optional;

/**
 * One published file of a benchmark.
 *
 * @param repository owner and name of the GitHub repository whose releases hold it
 * @param version the release's tag
 * @param name the file's name in the release, without {@code .jsonl.gz}
 * @param sha256 of the published bytes, where it has been verified against a copy
 */
record DatasetFile(String repository, String version, String name, Optional<String> sha256) {

  private static final String EXTENSION = ".jsonl.gz";

  /**
   * The file of an edition, as EvalPlus 0.3.1 names it ({@code evalplus/data/utils.py}).
   *
   * @throws LockstepException of category user where EvalPlus publishes no such file
   */
  static DatasetFile of(Suite suite, Edition edition) {
    if (suite == Suite.STARTER) {
      throw LockstepException.user(
          "Cannot fetch dataset=starter: it comes with lockstep and needs no file.");
    }

    if (suite == Suite.MBPP && edition == Edition.MINI) {
      throw LockstepException.user(
          "Cannot use dataset.mini=true with dataset=mbppplus: EvalPlus publishes a mini edition"
              + " of humanevalplus only.");
    }

    return suite == Suite.HUMANEVAL
        ? new DatasetFile(
            "evalplus/humanevalplus_release",
            "v0.1.10",
            "HumanEvalPlus" + edition.fileSuffix(),
            onlyFor(edition, "272720b90ac375502c8ed23cd791c2a93dfb22a911641a494da74a426c09f101"))
        : new DatasetFile(
            "evalplus/mbppplus_release",
            "v0.2.0",
            "MbppPlus" + edition.fileSuffix(),
            onlyFor(edition, "af43697e8791c4c149bdfd6b489d8b5412507551ac20e28a439f650b8225db63"));
  }

  private static Optional<String> onlyFor(Edition edition, String fullSha256) {
    return edition == Edition.FULL ? Optional.of(fullSha256) : Optional.empty();
  }

  /** Where the file lies below the host. */
  String releasePath() {
    return "/" + repository + "/releases/download/" + version + "/" + name + EXTENSION;
  }

  /** What the file is called in the cache: with its version, as EvalPlus does. */
  String cacheName() {
    return name + "-" + version + EXTENSION;
  }
}
