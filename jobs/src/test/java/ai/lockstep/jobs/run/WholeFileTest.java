package ai.lockstep.jobs.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.lockstep.failure.FailureCategory;
import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {

  @TempDir Path folder;

  @Test
  void replacesAnOlderFile() throws IOException {
    Path file = Files.writeString(folder.resolve("report.html"), "old");

    WholeFile.write(file.toString(), new Configuration(), out -> out.write('n'));

    assertThat(file).hasContent("n");
    assertThat(folder).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void anOlderFileStaysWhenTheNewOneFails() throws IOException {
    Path file = Files.writeString(folder.resolve("report.html"), "old");

    assertThatThrownBy(
            () ->
                WholeFile.write(
                    file.toString(),
                    new Configuration(),
                    out -> {
                      out.write('n');
                      throw new IOException("No space left on device");
                    }))
        .isInstanceOfSatisfying(
            LockstepException.class,
            e -> assertThat(e.category()).isEqualTo(FailureCategory.ENVIRONMENT))
        .hasMessage(
            "Cannot write %s: no space left on device. Make its folder writable; what was there before is unchanged.",
            file);
    assertThat(file).hasContent("old");
    assertThat(folder).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void aFolderThatCannotBeMadeIsTold() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");

    assertThatThrownBy(
            () ->
                WholeFile.write(
                    file.resolve("report.html").toString(), new Configuration(), out -> {}))
        .isInstanceOf(LockstepException.class)
        .hasMessageStartingWith("Cannot write %s/report.html: ", file);
  }
}
