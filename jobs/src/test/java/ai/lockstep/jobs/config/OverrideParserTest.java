package ai.lockstep.jobs.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.ConfigOverride.Operation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OverrideParserTest {

  /** The value as JSON, so that its type can be read off. */
  private static String value(String text) {
    return ConfigOverride.parse("key=" + text).singleValue().toString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "``|\"\"",
        "null|null",
        "NULL|null",
        "true|true",
        "False|false",
        "yes|\"yes\"",
        "10|10",
        "-3|-3",
        "1_000|1000",
        "007|\"007\"",
        "12345678901|12345678901",
        "0.5|0.5",
        ".5|0.5",
        "1.|1.0",
        "1e-3|0.001",
        "1_0.5|10.5",
        "-Inf|\"-Infinity\"",
        "nan|\"NaN\"",
        "hello world|\"hello world\"",
        "  padded  |\"padded\"",
        "2026-11-24|\"2026-11-24\"",
        "http://host:80/a-b.c%d+e@f?g|\"http://host:80/a-b.c%d+e@f?g\"",
        "a=b|\"a=b\"",
        "local[2,4]|\"local[2,4]\"",
        "'10'|\"10\"",
        "\"a,b\"|\"a,b\"",
        "'it\\'s'|\"it's\"",
        "a\\,b|\"a,b\"",
        "[1,a,'b c',[2],{x:1}]|[1,\"a\",\"b c\",[2],{\"x\":1}]",
        "[]|[]",
        "{a: 1, 'b c': [x, null]}|{\"a\":1,\"b c\":[\"x\",null]}",
        "{}|{}",
        "${a.b}|\"${a.b}\"",
        "x${oc.env:HOME,${y}}z|\"x${oc.env:HOME,${y}}z\"",
      })
  void typesValuesAsHydraDoes(String text, String json) {
    assertThat(value(text)).isEqualTo(json);
  }

  @Test
  void readsTheSignInFrontOfTheKey() {
    assertThat(ConfigOverride.parse("a.b=1").operation()).isEqualTo(Operation.SET);
    assertThat(ConfigOverride.parse("+a.b=1").operation()).isEqualTo(Operation.ADD);
    assertThat(ConfigOverride.parse("++a.b=1").operation()).isEqualTo(Operation.SET_OR_ADD);
    assertThat(ConfigOverride.parse("~a.b").operation()).isEqualTo(Operation.DELETE);
    assertThat(ConfigOverride.parse("~a.b=1").operation()).isEqualTo(Operation.DELETE);
  }

  @Test
  void readsThePackageOfAGroup() {
    ConfigOverride override = ConfigOverride.parse("db/sql@backup.first=mysql");

    assertThat(override.key()).isEqualTo("db/sql");
    assertThat(override.targetPackage()).contains("backup.first");
    assertThat(override.keyWithPackage()).isEqualTo("db/sql@backup.first");
  }

  @Test
  void aCommaOutsideBracketsAndQuotesIsAmbiguous() {
    assertThatThrownBy(() -> ConfigOverride.parse("x=1,2").singleValue())
        .isInstanceOf(LockstepException.class)
        .hasMessage(
            """
            Ambiguous value for 'x': use x=[1,2] for a list, quote it (x="'1,2'") for text, or add --multirun to run once for each value.
                x=1,2
                  ^""");
  }

  @Test
  void aSweepFunctionNeedsMultirun() {
    assertThatThrownBy(() -> ConfigOverride.parse("x=range(1,3)").singleValue())
        .hasMessage(
            """
            Could not set 'x' to a sweep: add --multirun to run once for each value.
                x=range(1,3)
                  ^""");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "=1|0|an override is KEY=VALUE and starts with the key",
        "key|3|'=' and a value must follow the key",
        "a..b=1|0|the parts of a key are separated by single points or slashes",
        "a b=1|1|'=' must follow the key",
        "a@=1|2|a package must follow '@'",
        "a=[1,2|2|the list that starts here must end with ']'",
        "a={x:1|2|the dict that starts here must end with '}'",
        "a={x}|4|':' and a value must follow the key 'x'",
        "a=[1,,2]|5|a value is missing",
        "a='x|2|the quote that starts here is not closed",
        "a=x}|3|'}' is not expected here; quote the value to use it as text",
        "a='x'y|5|'y' is not expected here",
        "a=${b|2|the interpolation that starts here must end with '}'",
        "a=local[2|7|the '[' must be followed by a ']'",
        "a=f(x)|2|there is no function 'f' (available: choice, range, glob); quote the value if it is text",
        "a=interval(0,1)|2|interval() needs an optimiser to pick from it; list the values, or use range(start,stop,step)",
        "a=range(a,b)|2|range() takes numbers: (stop), (start,stop) or (start,stop,step)",
        "a=range(3,1)|2|the range is empty",
        "a=[choice(1,2)]|3|a sweep function cannot stand inside a value",
      })
  void pointsAtWhatIsNotUnderstood(String text, int column, String problem) {
    assertThatThrownBy(() -> ConfigOverride.parse(text))
        .isInstanceOf(LockstepException.class)
        .hasMessage(
            "Could not read the override '%s': %s.\n    %s\n    %s^"
                .formatted(text, problem, text, " ".repeat(column)));
  }
}
