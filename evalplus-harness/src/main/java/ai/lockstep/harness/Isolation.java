package ai.lockstep.harness;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** What stands between a program under test and the machine, best first. */
public enum Isolation {
  /**
   * Own user, process, mount, network, IPC and host-name namespaces with a read-only system and a
   * private in-memory working folder, under a system call filter and resource limits. Needs the
   * {@code bubblewrap} package and a kernel that lets this user create namespaces.
   */
  BUBBLEWRAP("bubblewrap"),
  /**
   * The system call filter (which here also refuses every network connection) and resource limits
   * only: files that this user can read can be read by the program.
   */
  SECCOMP("seccomp");

  private final String settingName;

  Isolation(String settingName) {
    this.settingName = settingName;
  }

  /** The spelling in {@code harness.sandbox}. */
  public String settingName() {
    return settingName;
  }

  /** The level spelt so in {@code harness.sandbox}; {@code auto} is not a level. */
  public static Optional<Isolation> named(String settingName) {
    return Arrays.stream(values()).filter(l -> l.settingName.equals(settingName)).findFirst();
  }

  static String settingNames() {
    return Arrays.stream(values()).map(Isolation::settingName).collect(Collectors.joining(", "));
  }

  @Override
  public String toString() {
    return settingName;
  }
}
