package ai.lockstep.jobs.scoring;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExactTextTest {

  @ParameterizedTest
  @ValueSource(strings = {"", "a", "\u0000", "\ud83d\ude00", "\ud800", "\ude00 then \ud83d"})
  void comesBackAsItWas(String text) {
    assertThat(ExactText.of(ExactText.bytes(text))).isEqualTo(text);
  }

  @Test
  void digestsAreThoseOfUtf8() {
    assertThat(ExactText.sha256("abc"))
        .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }

  @Test
  void aLoneSurrogateIsNotTakenForAQuestionMark() {
    assertThat(ExactText.sha256("\ud800")).isNotEqualTo(ExactText.sha256("?"));
  }
}
