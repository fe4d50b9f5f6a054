package ai.lockstep.datasets;

/** Which of EvalPlus's files of a suite: they differ in the plus tests. */
public enum Edition {
  /** Every test. */
  FULL(""),
  /** The plus tests reduced to a few that find as many wrong programs; HumanEval+ only. */
  MINI("-Mini"),
  /** Without tests on extremely large inputs. */
  NO_EXTREME("-NoExtreme");

  private final String fileSuffix;

  Edition(String fileSuffix) {
    this.fileSuffix = fileSuffix;
  }

  /** What EvalPlus adds to the file's name. */
  String fileSuffix() {
    return fileSuffix;
  }
}
