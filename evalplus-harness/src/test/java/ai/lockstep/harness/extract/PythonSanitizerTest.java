package ai.lockstep.harness.extract;

import static ai.lockstep.harness.extract.SanitizeReason.DEFINITIONS;
import static ai.lockstep.harness.extract.SanitizeReason.EMPTY;
import static ai.lockstep.harness.extract.SanitizeReason.FIRST_LINE;
import static ai.lockstep.harness.extract.SanitizeReason.FRAGMENT;
import static ai.lockstep.harness.extract.SanitizeReason.IMPORTS_ONLY;
import static ai.lockstep.harness.extract.SanitizeReason.SEARCH_LIMIT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules of {@code sanitize.py}; the texts agree with EvalPlus 0.3.1 unless a test says not. */
class PythonSanitizerTest {

  private static PythonSanitizer sanitizer;

  @BeforeAll
  static void open() {
    sanitizer = PlainPython.sanitizer();
  }

  @AfterAll
  static void close() {
    if (sanitizer != null) {
      sanitizer.close();
    }
  }

  private static Sanitized clean(String text) {
    return sanitizer.sanitize(text, Optional.empty());
  }

  private static Sanitized clean(String text, String entryPoint) {
    return sanitizer.sanitize(text, Optional.of(entryPoint));
  }

  private static Sanitized found(String program) {
    return new Sanitized(program, DEFINITIONS, true);
  }

  @Nested
  class TheFragment {

    @Test
    void isTheLongestRunOfLinesThatParses() {
      assertThat(
              clean(
                  """
                  Sure! Here is it:
                  ```python
                  import math
                  import re

                  def area(r):
                      return math.pi * r ** 2
                  ```
                  I hope it's useful.
                  """,
                  "area"))
          .isEqualTo(
              found(
                  """
                  import math
                  import re
                  def area(r):
                      return math.pi * r ** 2"""));
    }

    @Test
    void isTheFirstOfEquallyLongOnes() {
      assertThat(clean("a = 1\nb = 2\nand then\nc = 3\nd = 4").program()).isEqualTo("a = 1\nb = 2");
    }

    @Test
    void countsLinesThatAreNotBlank() {
      assertThat(clean("a = 1\n\n\n\n\n\nno code\nb = 2\nc = 3").program())
          .isEqualTo("b = 2\nc = 3");
    }

    @Test
    void keepsBlankLinesInFrontAndNoneBehind() {
      assertThat(clean("\n\nprint(1)\nprint(2)\n\n\n"))
          .isEqualTo(new Sanitized("\n\nprint(1)\nprint(2)", FRAGMENT, false));
    }

    @Test
    void keepsBlankLinesThatItNeedsToParse() {
      assertThat(clean("print(1)\nf()\\\n\n").program()).isEqualTo("print(1)\nf()\\\n\n");
    }

    @Test
    void hasAtLeastTwoLinesSoThatTheFirstLineStandsInForNone() {
      assertThat(clean("no code\nat all here\nnone, sorry"))
          .isEqualTo(new Sanitized("no code", FIRST_LINE, false));
    }

    @Test
    void isCleanedAlsoWhenItIsASingleLine() {
      assertThat(clean("def f(x): return x", "f")).isEqualTo(found("def f(x): return x"));
      assertThat(clean("    import os").program()).isEqualTo("import os");
    }

    @Test
    void ofABlankTextIsItsFirstLine() {
      assertThat(clean("")).isEqualTo(new Sanitized("", EMPTY, false));
      assertThat(clean("  \n\n")).isEqualTo(new Sanitized("  ", EMPTY, false));
    }

    @Test
    void isFreeOfAnsiEscapes() {
      assertThat(
              clean(
                  "\u001b[1;32mdef f():\u001b[0m\n    return 1\u001bM\u001b]\u001b^\u001b_\u001b\\",
                  "f"))
          .isEqualTo(found("def f():\n    return 1"));
    }

    @Test
    void leavesOutLinesThatUpstreamChokesOn() {
      // EvalPlus raises for NUL characters and lone surrogates.
      assertThat(clean("x\0y\ndef f():\n    return 1\n\ud800", "f"))
          .isEqualTo(found("def f():\n    return 1"));
    }

    @Test
    void mayEndInsideWhatLooksOpen() {
      assertThat(clean("def f():\n    return 1\nx = (1,\ny = '''\n", "f"))
          .isEqualTo(found("def f():\n    return 1"));
    }
  }

  @Nested
  class Statements {

    @Test
    void importsStayExceptFromTheFuture() {
      assertThat(
              clean(
                  """
                  from __future__ import annotations
                  import os, sys; import re  # why
                  from . import sibling
                  def f():
                      return 1
                  from late import (
                      one,
                  )
                  """,
                  "f"))
          .isEqualTo(
              found(
                  """
                  import os, sys
                  import re
                  from . import sibling
                  from late import (
                      one,
                  )
                  def f():
                      return 1"""));
    }

    @Test
    void functionsNeedAReturnSomewhereInside() {
      assertThat(
              clean(
                      """
                  def in_place(a):
                      a.sort()
                  def generator():
                      yield 1
                  def nested():
                      def inner():
                          return 1
                  async def coroutine():
                      return 1
                  class Kept:
                      pass
                  """)
                  .program())
          .isEqualTo(
              """
              def nested():
                  def inner():
                      return 1
              async def coroutine():
                  return 1
              class Kept:
                  pass""");
    }

    @Test
    void aFunctionWithoutReturnDoesNotReserveItsName() {
      assertThat(clean("def f():\n    pass\ndef f():\n    return 2", "f"))
          .isEqualTo(found("def f():\n    return 2"));
    }

    @Test
    void decoratedDefinitionsAreDropped() {
      assertThat(
              clean("@cache\ndef f():\n    return 1\n@dataclass\nclass C:\n    x: int\ny = 1\n")
                  .program())
          .isEqualTo("y = 1");
    }

    @Test
    void theFirstDefinitionOfANameWins() {
      assertThat(clean("f = 1\ndef f():\n    return 2\nclass f:\n    pass\nf = 3").program())
          .isEqualTo("f = 1");
    }

    @Test
    void everythingElseIsDropped() {
      assertThat(
              clean(
                      """
                  \"""Module.\"""
                  x = 1
                  x += 1
                  if x:
                      y = 2
                  for i in x:
                      pass
                  print(x)
                  assert x
                  """)
                  .program())
          .isEqualTo("x = 1");
    }

    @Test
    void assignmentsAreNamedByTheirFirstDirectIdentifier() {
      // One statement reachable from f by each name, or dropped for having none.
      assertThat(
              clean(
                  """
                  a = b = 1
                  c: int = 2
                  d: int
                  x.y = e
                  x[0] = g
                  p, q = h
                  x.z = (i)
                  x.w = j, k
                  x.v = l = 3
                  def f():
                      return a, c, d, e, g, h, i, j, k, l, p, q, x
                  """,
                  "f"))
          .isEqualTo(
              found(
                  """
                  a = b = 1
                  c: int = 2
                  d: int
                  x.y = e
                  x[0] = g
                  p, q = h
                  def f():
                      return a, c, d, e, g, h, i, j, k, l, p, q, x"""));
    }

    @Test
    void namelessAssignmentsShareOneSlotWithoutAnEntryPoint() {
      assertThat(clean("p, q = 1, 2\nr, s = 3, 4\nx = 5").program())
          .isEqualTo("p, q = 1, 2\nx = 5");
    }

    @Test
    void nothingKeptMeansTheFragmentAsItStands() {
      assertThat(clean("x = 1\nif x:\n    print(x)\n", "f"))
          .isEqualTo(new Sanitized("x = 1\nif x:\n    print(x)", FRAGMENT, false));
    }
  }

  @Nested
  class Reachability {

    @Test
    void followsIdentifiersOfEveryKind() {
      assertThat(
              clean(
                  """
                  A = 1
                  B = A
                  C = 2
                  D = 3
                  E = 4
                  F = 5
                  G = 6
                  def f(x, *, C=None):
                      import D
                      "E"  # F
                      return f"{G:{B}}".A
                  """,
                  "f"))
          .isEqualTo(
              found(
                  """
                  A = 1
                  B = A
                  C = 2
                  D = 3
                  G = 6
                  def f(x, *, C=None):
                      import D
                      "E"  # F
                      return f"{G:{B}}".A"""));
    }

    @Test
    void knowsNoScopes() {
      assertThat(clean("x = 1\ndef f():\n    x = 2\n    return x\n", "f").program())
          .startsWith("x = 1\n");
    }

    @Test
    void dropsWhatTheEntryPointDoesNotNeed() {
      assertThat(
              clean(
                  """
                  def g():
                      return 1
                  def f():
                      return h()
                  def h():
                      return f()
                  """,
                  "f"))
          .isEqualTo(found("def f():\n    return h()\ndef h():\n    return f()"));
    }

    @Test
    void leavesOnlyImportsForAnUnknownEntryPoint() {
      assertThat(clean("import os\ndef g():\n    return 1", "f"))
          .isEqualTo(new Sanitized("import os", IMPORTS_ONLY, false));
    }

    @Test
    void isNotAskedWithoutAnEntryPoint() {
      assertThat(clean("def g():\n    return 1\ndef h():\n    return 2"))
          .isEqualTo(
              new Sanitized("def g():\n    return 1\ndef h():\n    return 2", DEFINITIONS, false));
      assertThat(clean("def g():\n    return 1\nx = 2", "").program())
          .isEqualTo("def g():\n    return 1\nx = 2");
    }

    @Test
    void aFragmentMayDefineTheEntryPointByOtherMeans() {
      assertThat(clean("@cache\ndef f():\n    return 1", "f"))
          .isEqualTo(new Sanitized("@cache\ndef f():\n    return 1", FRAGMENT, true));
      assertThat(clean("if 1:\n    f = print", "f").definesEntryPoint()).isTrue();
      assertThat(clean("def g():\n    f = 1\ng.f = 1", "f").definesEntryPoint()).isFalse();
      assertThat(clean("from x import y as f\n1", "f").definesEntryPoint()).isTrue();
    }
  }

  @Nested
  class Comments {

    @Test
    void behindTheLastStatementBelongToItsDefinition() {
      assertThat(
              clean("def f():\n    return 1  # one\n\nx = 2  # two\nimport os  # three").program())
          .isEqualTo("import os\ndef f():\n    return 1  # one\nx = 2");
    }

    @Test
    void belowTheLastStatementBelongToItWhenIndentedLikeTheBody() {
      assertThat(
              clean(
                      """
                  def f(x):
                      if x:
                          return 1
                          # deep

                      # body
                    # half
                      # late
                  # margin
                  y = 1
                  """)
                  .program())
          .isEqualTo(
              """
              def f(x):
                  if x:
                      return 1
                      # deep

                  # body
              y = 1""");
    }

    @Test
    void ofOneLinersEndWithTheLine() {
      assertThat(clean("def f(): return 1;  # one\n    # two\nx = 1").program())
          .isEqualTo("def f(): return 1;  # one\nx = 1");
    }

    @Test
    void countTabsAsEightColumns() {
      assertThat(clean("class C:\n\tx = 1\n\t# in\n        # in\n    # out\ny = 1").program())
          .isEqualTo("class C:\n\tx = 1\n\t# in\n        # in\ny = 1");
    }
  }

  @Nested
  class HostileTexts {

    @Test
    void areCutOffByTheSearchLimitAtTheBestSoFar() {
      String slow = "x=1\n".repeat(3000) + "f(a=1 for x in y, 2)\n".repeat(3000);
      assertThat(clean(slow, "f").reason()).isEqualTo(SEARCH_LIMIT);
    }

    @Test
    void mayNestAsDeepAsTheyLike() {
      String deep =
          "(".repeat(50_000) + "\n" + "-".repeat(50_000) + "1\n" + "1+".repeat(50_000) + "1\n";
      assertThat(clean(deep + "def f():\n    return 1", "f"))
          .isEqualTo(found("def f():\n    return 1"));
    }

    @Test
    void keepEverySpellingOnTheWire() {
      String program = "def f():\n    return 'ä\u2028😀\u0085\t\"\\\\'";
      assertThat(clean(program, "f")).isEqualTo(found(program));
    }
  }

  @Test
  void worksAgainAfterBeingClosed() {
    sanitizer.close();
    assertThat(clean("x = 1\ny = 2").program()).isEqualTo("x = 1\ny = 2");
  }

  @Test
  void saysWhichCommandDoesNotWork() {
    try (PythonSanitizer broken = PythonSanitizer.withCommand(List.of("/bin/false"))) {
      assertThatThrownBy(() -> broken.sanitize("x", Optional.empty()))
          .isInstanceOf(LockstepException.class)
          .hasMessage(
              "Cannot extract code with /bin/false: it ended without an answer; check that it is Python 3.11 or newer with `/bin/false --version`.")
          .extracting(failure -> ((LockstepException) failure).category())
          .isEqualTo(FailureCategory.ENVIRONMENT);
    }
  }
}
