package ai.lockstep.udf.spark;

import static org.assertj.core.api.Assertions.assertThat;

import ai.lockstep.udf.checkpoint.CheckpointSource;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class CheckpointModelTest {

  @Test
  void urlsNameBundledHubAndFolderModels() {
    assertThat(CheckpointModel.at("bundled:dream-tiny").source())
        .isEqualTo(CheckpointSource.Bundled.DREAM_TINY);
    assertThat(CheckpointModel.at("hf://Dream-org/Dream").source())
        .isEqualTo(new CheckpointSource.Hub("Dream-org/Dream", "main"));
    assertThat(CheckpointModel.at(CheckpointModel.hubUrl("a/b", "refs/pr/3")).source())
        .isEqualTo(new CheckpointSource.Hub("a/b", "refs/pr/3"));
    assertThat(CheckpointModel.at("/models/dream").source())
        .isEqualTo(new CheckpointSource.Folder(Path.of("/models/dream")));
    assertThat(CheckpointModel.at("file:///models/dream").source())
        .isEqualTo(new CheckpointSource.Folder(Path.of("/models/dream")));
  }

  @Test
  void propertiesMeanTheSameReplicaOnTheExecutor() {
    ReplicaSettings settings =
        new ReplicaSettings(
            new CheckpointModel("/models/dream", "/adapter", CheckpointModel.Download.ALLOWED),
            new Placement(DeviceChoice.CUDA, NumberFormat.FLOAT32),
            32);
    SparkConf conf = new SparkConf(false);
    settings.properties().forEach(conf::set);

    assertThat(ReplicaSettings.of(conf)).contains(settings);
    assertThat(ReplicaSettings.of(new SparkConf(false))).isEqualTo(Optional.empty());
  }
}
