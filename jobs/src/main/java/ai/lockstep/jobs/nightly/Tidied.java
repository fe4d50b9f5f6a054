package ai.lockstep.jobs.nightly;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What was taken from old nights.
 *
 * @param nights that lost something, ascending
 * @param files before and after
 * @param bytes before and after
 */
public record Tidied(List<LocalDate> nights, Change files, Change bytes) {

  /** A number before and after. */
  public record Change(long before, long after) {

    Change plus(Change other) {
      return new Change(before + other.before, after + other.after);
    }
  }

  static final Tidied NOTHING = new Tidied(List.of(), new Change(0, 0), new Change(0, 0));

  private static final double MEGABYTE = 1e6;

  public Tidied {
    nights = List.copyOf(nights);
  }

  /** Both; a night that is in both counts once. */
  Tidied plus(Tidied other) {
    List<LocalDate> all = new ArrayList<>(nights);
    all.addAll(other.nights);
    return new Tidied(
        all.stream().distinct().toList(), files.plus(other.files), bytes.plus(other.bytes));
  }

  /** Whether there was nothing to do. */
  public boolean isNothing() {
    return nights.isEmpty();
  }

  /**
   * Such as {@code 2 nights, 2026-03-01 to 2026-03-02: 96 files of 4.10 MB became 10 of 0.21 MB}.
   */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%d night%s, %s: %d files of %.2f MB became %d of %.2f MB",
        nights.size(),
        nights.size() == 1 ? "" : "s",
        nights.size() == 1
            ? nights.get(0).toString()
            : nights.get(0) + " to " + nights.get(nights.size() - 1),
        files.before(),
        bytes.before() / MEGABYTE,
        files.after(),
        bytes.after() / MEGABYTE);
  }
}
