package ai.lockstep.udf.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The variables that huggingface_hub reads, and which wins. */
class HubSettingsTest {

  @TempDir Path home;

  private HubSettings from(String... namesAndValues) {
    Map<String, String> environment = new HashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      environment.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return HubSettings.from(environment, home);
  }

  @Test
  void withoutVariablesTheCacheLiesInTheHomeFolderAndTheHubIsPublic() {
    HubSettings settings = from();

    assertThat(settings.cache()).isEqualTo(home.resolve(".cache/huggingface/hub"));
    assertThat(settings.endpoint()).isEqualTo(URI.create("https://huggingface.co"));
    assertThat(settings.token()).isEmpty();
    assertThat(settings.offline()).isFalse();
  }

  @Test
  void theMostSpecificVariableNamesTheCache() {
    assertThat(from("XDG_CACHE_HOME", "/x").cache()).isEqualTo(Path.of("/x/huggingface/hub"));
    assertThat(from("XDG_CACHE_HOME", "/x", "HF_HOME", "/h").cache()).isEqualTo(Path.of("/h/hub"));
    assertThat(from("XDG_CACHE_HOME", "/x", "HF_HOME", "/h", "HF_HUB_CACHE", "/c").cache())
        .isEqualTo(Path.of("/c"));
    assertThat(from("HF_HOME", "", "HF_HUB_CACHE", "").cache())
        .isEqualTo(home.resolve(".cache/huggingface/hub"));
  }

  @Test
  void theTokenIsTheVariablesElseThatOfItsFileElseThatOfTheHome() throws IOException {
    Path named = Files.writeString(home.resolve("named"), "of-named-file\n");
    Path hfHome = Files.createDirectories(home.resolve("hf"));
    Files.writeString(hfHome.resolve("token"), "of-home\n");
    String hf = hfHome.toString();

    assertThat(from("HF_HOME", hf).token()).contains("of-home");
    assertThat(from("HF_HOME", hf, "HF_TOKEN_PATH", named.toString()).token())
        .contains("of-named-file");
    assertThat(
            from("HF_HOME", hf, "HF_TOKEN_PATH", named.toString(), "HF_TOKEN", " direct ").token())
        .contains("direct");
    assertThat(from("HF_HOME", hf, "HF_TOKEN_PATH", "/no/file").token()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"1,true", "true,true", "YES,true", "on,true", "0,false", "false,false", "'',false"})
  void offlineIsAFlag(String value, boolean offline) {
    assertThat(from("HF_HUB_OFFLINE", value).offline()).isEqualTo(offline);
  }

  @Test
  void anEndpointMayEndInASlash() {
    assertThat(from("HF_ENDPOINT", "https://mirror.example/").endpoint())
        .isEqualTo(URI.create("https://mirror.example"));
  }

  @Test
  void theTokenIsNotShown() {
    assertThat(from("HF_TOKEN", "hf_secret", "HF_HUB_CACHE", "/c").toString())
        .isEqualTo(
            "HubSettings[cache=/c, endpoint=https://huggingface.co, token=set, offline=false]");
  }
}
