package ai.lockstep.datasets.download;

import java.util.OptionalLong;

/** Hears how far a download is. Called on the downloading thread, after every piece written. */
@FunctionalInterface
public interface ProgressListener {

  /** Listens to nothing. */
  ProgressListener NONE = (doneBytes, totalBytes) -> {};

  /**
   * More of the file has arrived.
   *
   * @param doneBytes on disk so far, what an earlier try left included; falls back when the server
   *     makes the download start over
   * @param totalBytes of the whole file, empty while unknown
   */
  void advanced(long doneBytes, OptionalLong totalBytes);
}
