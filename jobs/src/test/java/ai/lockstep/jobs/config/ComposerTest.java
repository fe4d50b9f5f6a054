package ai.lockstep.jobs.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each expectation follows a page of Hydra's or OmegaConf's documentation. */
class ComposerTest {

  private static final LocalDateTime NOW = LocalDateTime.of(2026, 3, 9, 7, 5, 2);

  @TempDir Path folder;

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name + ".yaml");
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private Composition compose(String... overrides) {
    return new Composer(ConfigSource.folder(folder), Map.of("HOST", "h1"), NOW)
        .compose("config", List.of(overrides));
  }

  private String json(String... overrides) {
    return compose(overrides).resolved().toString();
  }

  private void assertFails(String message, String... overrides) {
    assertThatThrownBy(() -> compose(overrides))
        .isInstanceOf(LockstepException.class)
        .hasMessage(message);
  }

  @Nested
  class DefaultsLists {

    @Test
    void aFileBeatsItsDefaultsUnlessSelfComesFirst() throws IOException {
      write("foo/bar", "x: 20\ny: 1\n");
      write("config", "defaults:\n  - foo: bar\nfoo: {x: 10}\n");
      assertThat(json()).isEqualTo("{\"foo\":{\"x\":10,\"y\":1}}");

      write("config", "defaults:\n  - _self_\n  - foo: bar\nfoo: {x: 10}\n");
      assertThat(json()).isEqualTo("{\"foo\":{\"x\":20,\"y\":1}}");
    }

    @Test
    void theCommandLineChoosesAnOption() throws IOException {
      write("db/mysql", "driver: mysql\nport: 3306\n");
      write("db/postgresql", "driver: postgresql\n");
      write("config", "defaults: [{db: mysql}]\n");

      Composition composition = compose("db=postgresql");

      assertThat(composition.resolved()).hasToString("{\"db\":{\"driver\":\"postgresql\"}}");
      assertThat(composition.choices()).containsExactly(Map.entry("db", "postgresql"));
      assertThat(composition.overrides()).containsExactly("db=postgresql");
    }

    @Test
    void nullOptionalRemovedAndAddedGroups() throws IOException {
      write("a/one", "x: 1\n");
      write("b/one", "y: 1\n");
      write("config", "defaults: [{a: null}, {optional b: none}]\nz: 0\n");

      assertThat(json()).isEqualTo("{\"z\":0}");
      assertThat(json("a=one")).isEqualTo("{\"a\":{\"x\":1},\"z\":0}");

      write("config", "defaults: [{a: one}]\n");
      assertThat(json("~a")).isEqualTo("{}");
      assertThat(json("a=null")).isEqualTo("{}");
      assertThat(json("+b=one")).isEqualTo("{\"a\":{\"x\":1},\"b\":{\"y\":1}}");
    }

    @Test
    void aGroupFileExtendsAFileOfItsGroup() throws IOException {
      write("db/base", "host: localhost\nport: 1\n");
      write("db/mysql", "defaults: [base, _self_]\nport: 3306\n");
      write("config", "defaults: [{db: mysql}]\n");

      assertThat(json()).isEqualTo("{\"db\":{\"host\":\"localhost\",\"port\":3306}}");
    }

    @Test
    void nestedGroupsAreRelativeToTheirFile() throws IOException {
      write("server/apache", "defaults: [{site: fb}]\nname: apache\n");
      write("server/site/fb", "domain: fb.com\n");
      write("server/site/google", "domain: google.com\n");
      write("config", "defaults: [{server: apache}]\n");

      assertThat(json("server/site=google"))
          .isEqualTo("{\"server\":{\"site\":{\"domain\":\"google.com\"},\"name\":\"apache\"}}");
    }

    @Test
    void anExperimentOverridesChoicesBeforeIt() throws IOException {
      write("db/mysql", "n: mysql\n");
      write("db/sqlite", "n: sqlite\n");
      write(
          "experiment/fast", "# @package _global_\ndefaults: [{override /db: sqlite}]\nseed: 7\n");
      write("config", "defaults: [{db: mysql}]\nseed: 0\n");

      assertThat(json("+experiment=fast")).isEqualTo("{\"db\":{\"n\":\"sqlite\"},\"seed\":7}");
      assertThat(json("+experiment=fast", "db=mysql"))
          .isEqualTo("{\"db\":{\"n\":\"mysql\"},\"seed\":7}");
    }

    @Test
    void packagesMoveContent() throws IOException {
      write("db/mysql", "p: 1\n");
      write("db/moved", "# @package elsewhere.deep\np: 2\n");
      write("config", "defaults: [{db@source: mysql}, {db@target: mysql}]\n");
      assertThat(json()).isEqualTo("{\"source\":{\"p\":1},\"target\":{\"p\":1}}");
      assertThat(json("db@target=moved")).isEqualTo("{\"source\":{\"p\":1},\"target\":{\"p\":2}}");

      write("config", "defaults: [{db: moved}]\n");
      assertThat(json()).isEqualTo("{\"elsewhere\":{\"deep\":{\"p\":2}}}");
    }

    @Test
    void mapsMergeAndListsReplace() throws IOException {
      write("a/one", "list: [1, 2, 3]\nmap: {x: 1, y: 2}\n");
      write("config", "defaults: [{a: one}]\na: {list: [4], map: {y: [5], z: 6}}\n");

      assertThat(json()).isEqualTo("{\"a\":{\"list\":[4],\"map\":{\"x\":1,\"y\":[5],\"z\":6}}}");
    }

    @Test
    void anUnknownOptionNamesTheOnesThereAre() throws IOException {
      write("decode/lockstep", "x: 1\n");
      write("decode/dream", "x: 1\n");
      write("config", "defaults: [{decode: lockstep}]\n");

      assertFails(
          """
          Could not load 'decode=lockstp': the group 'decode' has no option 'lockstp'. Did you mean 'lockstep'? Available options: dream, lockstep.
              decode=lockstp
                     ^""",
          "decode=lockstp");
    }

    @Test
    void aGroupOutsideTheDefaultsListMustBeAdded() throws IOException {
      write("db/mysql", "x: 1\n");
      write("config", "a: 1\n");

      assertFails(
          """
          Could not override 'db': the group is not in the defaults list. To add it use +db=mysql.
              db=mysql
              ^""",
          "db=mysql");
      assertFails(
          """
          Could not remove 'db': no defaults list makes this choice.
              ~db
               ^""",
          "~db");
    }

    @Test
    void aMandatoryChoiceMustBeMade() throws IOException {
      write("db/mysql", "x: 1\n");
      write("config", "defaults:\n  - db: ???\n");

      assertFails(
          "Cannot compose the configuration: choose an option of the group 'db', such as db=mysql (available options: mysql).");
      assertThat(json("db=mysql")).isEqualTo("{\"db\":{\"x\":1}}");
    }

    @Test
    void filesThatNameEachOtherAreRefused() throws IOException {
      write("a/one", "defaults: [two]\n");
      write("a/two", "defaults: [one]\n");
      write("config", "defaults: [{a: one}]\n");

      assertFails(
          "Cannot compose the configuration: a/one.yaml names itself in its defaults list (through a/two, a/one, config).");
    }
  }

  @Nested
  class Overrides {

    @Test
    void setAddForceAndRemove() throws IOException {
      write("config", "a: {b: 1, c: x}\n");

      assertThat(json("a.b=2")).isEqualTo("{\"a\":{\"b\":2,\"c\":\"x\"}}");
      assertThat(json("+a.d.e=2")).isEqualTo("{\"a\":{\"b\":1,\"c\":\"x\",\"d\":{\"e\":2}}}");
      assertThat(json("++a.b=3", "++a.n=4")).isEqualTo("{\"a\":{\"b\":3,\"c\":\"x\",\"n\":4}}");
      assertThat(json("~a.b")).isEqualTo("{\"a\":{\"c\":\"x\"}}");
      assertThat(json("~a.c=x")).isEqualTo("{\"a\":{\"b\":1}}");
      assertThat(json("a={b:5}")).isEqualTo("{\"a\":{\"b\":5,\"c\":\"x\"}}");
      assertThat(json("a.b=")).isEqualTo("{\"a\":{\"b\":\"\",\"c\":\"x\"}}");
    }

    @Test
    void laterOverridesWin() throws IOException {
      write("config", "a: 1\n");

      assertThat(json("a=2", "a=3")).isEqualTo("{\"a\":3}");
    }

    @Test
    void elementsOfListsCanBeSet() throws IOException {
      write("config", "a: [1, {b: 2}]\n");

      assertThat(json("a.0=5", "a.1.b=6")).isEqualTo("{\"a\":[5,{\"b\":6}]}");
    }

    @Test
    void keysWithPointsAreFound() throws IOException {
      write("config", "hardware:\n  spark.executor.memory: 8g\n");

      assertThat(json("hardware.spark.executor.memory=9g"))
          .isEqualTo("{\"hardware\":{\"spark.executor.memory\":\"9g\"}}");
    }

    @Test
    void anUnknownKeySuggestsTheNearest() throws IOException {
      write("config", "decode: {mode: x, tau_r: 0.9, tau_a: 0.9}\n");

      assertFails(
          """
          Could not override 'decode.tau': the key is not in 'decode'. Did you mean 'decode.tau_r'? To add a new key use +decode.tau=0.5.
              decode.tau=0.5
                     ^""",
          "decode.tau=0.5");
      assertFails(
          """
          Could not override 'tau_r': the key is not at the top level. Did you mean 'decode.tau_r'? To add a new key use +tau_r=0.5.
              tau_r=0.5
              ^""",
          "tau_r=0.5");
      assertFails(
          """
          Could not override 'zzz': the key is not at the top level. To add a new key use +zzz=1.
              zzz=1
              ^""",
          "zzz=1");
    }

    @Test
    void valuesHoldNoKeysAndMapsTakeNoSingleValue() throws IOException {
      write("config", "a: {b: 1, c: 2}\n");

      assertFails(
          """
          Could not override 'a.b.c': 'a.b' is 1 and holds no keys.
              a.b.c=2
                  ^""",
          "a.b.c=2");
      assertFails(
          """
          Could not override 'a' with a single value: it holds the keys b, c. Name one of them, such as a.b=...
              a=2
              ^""",
          "a=2");
    }

    @Test
    void addingAKeyThatExistsIsRefused() throws IOException {
      write("config", "a: {b: 1}\n");

      assertFails(
          """
          Could not add 'a.b': the key exists and is 1. To change it use a.b=2, to set it either way use ++a.b=2.
              +a.b=2
               ^""",
          "+a.b=2");
    }

    @Test
    void removingWhatIsNotThereIsRefused() throws IOException {
      write("config", "a: {bcd: 1}\n");

      assertFails(
          """
          Could not remove 'a.bce': there is no such key. Did you mean 'a.bcd'?
              ~a.bce
               ^""",
          "~a.bce");
      assertFails(
          """
          Could not remove 'a.bcd=2': the value is 1.
              ~a.bcd=2
                     ^""",
          "~a.bcd=2");
    }
  }

  @Nested
  class Interpolations {

    @Test
    void referencesKeepTheTypeAndSeeOverrides() throws IOException {
      write(
          "config",
          "a: 1\nb: ${a}\nc: x${a}y\nd:\n  e: ${.f}\n  f: [1]\n  g: ${..a}\nh: ${d.f.0}\n");

      assertThat(json("a=true"))
          .isEqualTo(
              "{\"a\":true,\"b\":true,\"c\":\"xtruey\",\"d\":{\"e\":[1],\"f\":[1],\"g\":true},\"h\":1}");
    }

    @Test
    void nestedAndEscapedInterpolations() throws IOException {
      write("config", "which: b\nmap: {a: 1, b: 2}\nx: ${map.${which}}\ny: '\\${x}'\n");

      assertThat(compose().resolved().get("x").intValue()).isEqualTo(2);
      assertThat(compose().resolved().get("y").textValue()).isEqualTo("${x}");
    }

    @Test
    void resolversReadTheEnvironmentAndTheTime() throws IOException {
      write(
          "config",
          """
          host: ${oc.env:HOST}
          user: ${oc.env:USER,nobody}
          none: ${oc.env:USER,null}
          at: ${now:%Y-%m-%d}/${now:%H-%M-%S}
          other: ${oc.select:missing,5}
          """);

      assertThat(json())
          .isEqualTo(
              "{\"host\":\"h1\",\"user\":\"nobody\",\"none\":null,\"at\":\"2026-03-09/07-05-02\",\"other\":5}");
    }

    @Test
    void theComposedTreeKeepsThem() throws IOException {
      write("config", "a: 1\nb: ${a}\n");

      assertThat(compose().yaml()).isEqualTo("a: 1\nb: \"${a}\"\n");
      assertThat(compose().resolvedYaml()).isEqualTo("a: 1\nb: 1\n");
    }

    @Test
    void mistakesNameTheKey() throws IOException {
      write("config", "limit: 1\na: ${limt}\n");
      assertFails("Cannot resolve a=${limt}: there is no key 'limt'. Did you mean 'limit'?");

      write("config", "a: ${oc.env:NOPE}\n");
      assertFails(
          "Cannot resolve a=${oc.env:NOPE}: the environment variable NOPE is not set; set it or give a default: ${oc.env:NOPE,null}.");

      write("config", "a: ${b}\nb: ${a}\n");
      assertFails("Cannot resolve a=${b}: it refers to itself.");

      write("config", "a: ${b\n");
      assertFails("Cannot resolve a=${b: the '${' in column 1 is not closed by '}'.");

      write("config", "a: ${zz:1}\n");
      assertFails(
          "Cannot resolve a=${zz:1}: there is no resolver 'zz' (available: now, oc.decode, oc.env, oc.select).");
    }
  }

  @Nested
  class YamlFiles {

    @Test
    void scalarsAreTypedAsOmegaConfDoes() throws IOException {
      write("config", "a: 1e-3\nb: 1_000\nc: yes\nd: 'x'\n");

      assertThat(json()).isEqualTo("{\"a\":0.001,\"b\":1000,\"c\":true,\"d\":\"x\"}");
    }

    @Test
    void aKeyThatOccursTwiceIsRefused() throws IOException {
      write("config", "a: 1\na: 2\n");

      assertFails("Cannot read the configuration file config.yaml in line 2: Duplicate field 'a'.");
    }

    @Test
    void aMissingPrimaryFileNamesTheOnesThereAre() throws IOException {
      write("other", "a: 1\n");

      assertFails(
          "Cannot find the configuration file config.yaml in %s (there are: other)."
              .formatted(folder));
    }

    @Test
    void aFolderOnTopWinsFileByFile() throws IOException {
      write("config", "defaults: [{db: mysql}]\n");
      write("db/mysql", "x: 1\n");
      Path top = folder.resolve("top");
      Files.createDirectories(top.resolve("db"));
      Files.writeString(top.resolve("db/mysql.yaml"), "x: 2\n");
      ConfigSource source = ConfigSource.folder(top).over(ConfigSource.folder(folder));

      assertThat(new Composer(source).compose("config", List.of()).resolved())
          .hasToString("{\"db\":{\"x\":2}}");
    }
  }
}
