package ai.lockstep.datasets.download;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CacheFolderTest {

  private static final Path HOME = Path.of("/home/ada");

  @Test
  void isTheOneThatLockstepCacheNames() {
    assertThat(CacheFolder.of(Map.of("LOCKSTEP_CACHE", "/big", "XDG_CACHE_HOME", "/x"), HOME))
        .isEqualTo(Path.of("/big"));
  }

  @Test
  void liesInTheUsersCachesOtherwise() {
    assertThat(CacheFolder.of(Map.of("XDG_CACHE_HOME", "/x"), HOME))
        .isEqualTo(Path.of("/x/lockstep"));
  }

  @Test
  void liesInTheHomeFolderWhenNothingElseIsNamed() {
    assertThat(CacheFolder.of(Map.of("LOCKSTEP_CACHE", "", "XDG_CACHE_HOME", "relative"), HOME))
        .isEqualTo(Path.of("/home/ada/.cache/lockstep"));
  }
}
