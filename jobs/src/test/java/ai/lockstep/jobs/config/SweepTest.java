package ai.lockstep.jobs.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SweepTest {

  @TempDir Path folder;

  @BeforeEach
  void writeFiles() throws IOException {
    Files.writeString(
        folder.resolve("config.yaml"),
        "defaults: [{db: mysql}, {sweep: none}, _self_]\na: 0\nb: 0\n");
    for (String option : List.of("db/mysql", "db/maria", "db/sqlite")) {
      write(option, "x: 1\n");
    }
    write("sweep/none", "params: {}\n");
    write("sweep/both", "params:\n  db: mysql,sqlite\n  a: [1, 2]\n");
  }

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name + ".yaml");
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private List<List<String>> expand(String... overrides) {
    return Sweep.expand(List.of(overrides), ConfigSource.folder(folder));
  }

  @Test
  void theLastKeyVariesFastest() {
    assertThat(expand("a=1,2", "x=0", "+b=u,v"))
        .containsExactly(
            List.of("a=1", "x=0", "+b=u"),
            List.of("a=1", "x=0", "+b=v"),
            List.of("a=2", "x=0", "+b=u"),
            List.of("a=2", "x=0", "+b=v"));
  }

  @Test
  void withoutAlternativesThereIsOneJob() {
    assertThat(expand("a=[1,2]", "b='1,2'")).containsExactly(List.of("a=[1,2]", "b='1,2'"));
    assertThat(expand()).containsExactly(List.of());
  }

  @Test
  void keepsElementsAsTheyWereTyped() {
    assertThat(expand("a=[1,2],'x,y',{k:v}"))
        .containsExactly(List.of("a=[1,2]"), List.of("a='x,y'"), List.of("a={k:v}"));
  }

  @Test
  void rangesStopBeforeTheirEnd() {
    assertThat(expand("a=range(1,4)"))
        .containsExactly(List.of("a=1"), List.of("a=2"), List.of("a=3"));
    assertThat(expand("a=range(2)")).containsExactly(List.of("a=0"), List.of("a=1"));
    assertThat(expand("a=range(5,0,-2)"))
        .containsExactly(List.of("a=5"), List.of("a=3"), List.of("a=1"));
  }

  @Test
  void rangesOfDecimalsHaveNoRoundingErrors() {
    assertThat(expand("a=range(start=0.1,stop=0.4,step=0.1)"))
        .containsExactly(List.of("a=0.1"), List.of("a=0.2"), List.of("a=0.3"));
  }

  @Test
  void choiceListsAlternatives() {
    assertThat(expand("a=choice(1,'x y')")).containsExactly(List.of("a=1"), List.of("a='x y'"));
  }

  @Test
  void globNamesTheOptionsOfAGroup() {
    assertThat(expand("db=glob(*)"))
        .containsExactly(List.of("db=maria"), List.of("db=mysql"), List.of("db=sqlite"));
    assertThat(expand("db=glob([m*,sql*],exclude=*ia)"))
        .containsExactly(List.of("db=mysql"), List.of("db=sqlite"));
  }

  @Test
  void globNeedsAGroupAndAMatch() {
    assertThatThrownBy(() -> expand("a=glob(*)"))
        .hasMessage(
            """
            Could not sweep 'a=glob(*)': glob() matches the options of a group, and 'a' is none.
                a=glob(*)
                ^""");
    assertThatThrownBy(() -> expand("db=glob(z*)"))
        .hasMessage(
            """
            Could not sweep 'db=glob(z*)': no option of 'db' matches (available options: maria, mysql, sqlite).
                db=glob(z*)
                   ^""");
  }

  @Test
  void aRemovalCannotBeSwept() {
    assertThatThrownBy(() -> expand("~a=1,2"))
        .hasMessage(
            """
            Could not remove several values of 'a': a removal cannot be swept.
                ~a=1,2
                   ^""");
  }

  @Test
  void hydraModeAsksForASweepAndIsNoKey() {
    assertThat(Sweep.isRequested(List.of("a=1", "hydra.mode=MULTIRUN"))).isTrue();
    assertThat(Sweep.isRequested(List.of("a=1", "hydra.mode=RUN"))).isFalse();
    assertThat(expand("hydra.mode=MULTIRUN", "a=1")).containsExactly(List.of("a=1"));
  }

  @Test
  void aPresetVariesSlowestAndTheCommandLineBeatsIt() {
    Composer composer = new Composer(ConfigSource.folder(folder));

    assertThat(Sweep.expand(composer, "config", List.of("sweep=both", "a=7", "b=1,2")))
        .containsExactly(
            List.of("db=mysql", "sweep=both", "a=7", "b=1"),
            List.of("db=mysql", "sweep=both", "a=7", "b=2"),
            List.of("db=sqlite", "sweep=both", "a=7", "b=1"),
            List.of("db=sqlite", "sweep=both", "a=7", "b=2"));
    assertThat(Sweep.expand(composer, "config", List.of("sweep=both"))).hasSize(4);
  }
}
