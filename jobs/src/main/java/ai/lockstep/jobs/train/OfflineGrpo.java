package ai.lockstep.jobs.train;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.cli.Progress;
import ai.lockstep.jobs.config.ModelConfig;
import ai.lockstep.jobs.config.RunConfig;
import ai.lockstep.jobs.config.TrainConfig;
import ai.lockstep.jobs.decoding.LocatedModel;
import ai.lockstep.jobs.run.RunFolder;
import ai.lockstep.udf.checkpoint.Checkpoint;
import ai.lockstep.udf.checkpoint.CheckpointConfig;
import ai.lockstep.udf.checkpoint.LoraFactors;
import ai.lockstep.udf.model.ModelSpec;
import ai.lockstep.udf.model.torch.DreamModel;
import ai.lockstep.udf.model.torch.DreamPolicy;
import ai.lockstep.udf.model.torch.TorchDevice;
import ai.lockstep.udf.spark.DeviceChoice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains a LoRA adapter on rollouts and writes it as PEFT does, with the course of the training
 * beside it. In the driver's process, in float32: on the CPU, or with {@code model.device=cuda} on
 * the first GPU.
 */
public final class OfflineGrpo {

  /** Where the adapter goes within a run's folder: for {@code model.adapter}. */
  public static final String ADAPTER = "adapter";

  private static final String ADAPTER_CONFIG = "adapter_config.json";
  private static final String ADAPTER_WEIGHTS = "adapter_model.safetensors";

  /** One line a step. */
  public static final String COURSE = "training.jsonl";

  private static final Logger LOG = LoggerFactory.getLogger(OfflineGrpo.class);

  private OfflineGrpo() {}

  /** What a killed training goes on from. */
  public static final String STATE = "training.safetensors";

  /**
   * The first and the last step of this process, for the report.
   *
   * @param steps of the optimiser in all
   * @param first largest at the start is a sign of other weights
   * @param last where training ended
   */
  public record Course(int steps, String first, String last) {}

  /** Files of a run's folder that hold what was learnt. */
  public static List<String> adapterFiles() {
    return List.of(ADAPTER + "/" + ADAPTER_CONFIG, ADAPTER + "/" + ADAPTER_WEIGHTS);
  }

  /** Is told of a training's steps. */
  @FunctionalInterface
  public interface Listener {

    /**
     * A step was made.
     *
     * @param seconds it took; empty for a step of an earlier process, of which all are told first
     */
    void step(StepRecord step, OptionalDouble seconds);
  }

  /** Trains, or goes on training, and writes. */
  public static Course run(
      RunConfig config,
      Rollouts rollouts,
      LocatedModel.DreamCheckpoint model,
      RunFolder folder,
      Listener listener)
      throws IOException {
    TrainConfig train = config.train();
    Checkpoint checkpoint = model.checkpoint();
    CheckpointConfig sizes = checkpoint.config();
    ModelSpec spec = DreamModel.spec(checkpoint.name(), sizes, sizes.vocabSize());
    LoraFactors.Settings settings = new LoraFactors.Settings(train.rank(), train.alpha());
    long samples = rollouts.count();
    TrainingRecord record = TrainingRecord.open(folder, config, rollouts);
    record.course().forEach(step -> listener.step(step, OptionalDouble.empty()));
    AtomicLong done = new AtomicLong();
    Stopwatch watch = new Stopwatch();
    List<StepRecord> steps = new ArrayList<>();
    LoraFactors learnt;
    try (DreamPolicy policy = load(checkpoint, settings, train, device(config.model()))) {
      record.state().ifPresent(policy::resume);
      PolicyTraining training = new PolicyTraining(policy, train);
      watch.lap();
      Progress.during(
          "training",
          "samples",
          samples * train.epochs() - record.samples(),
          done::get,
          () ->
              training.run(
                  epoch -> rollouts.shuffled(train.seed(), epoch, spec),
                  record.steps(),
                  step -> {
                    requireOwnSamples(step, train);
                    LOG.info("{}", step);
                    steps.add(step);
                    record.add(step, policy);
                    listener.step(step, OptionalDouble.of(watch.lap()));
                    done.addAndGet(step.samples());
                  }));
      learnt = policy.factors();
    }
    folder.write(ADAPTER + "/" + ADAPTER_CONFIG, learnt.config(model.name(), model.revision()));
    folder.write(ADAPTER + "/" + ADAPTER_WEIGHTS, learnt.tensors());
    record.finish();
    String first = steps.isEmpty() ? "nothing was left to learn" : steps.get(0).toString();
    String last = steps.isEmpty() ? "" : steps.get(steps.size() - 1).toString();
    return new Course(record.steps(), first, last);
  }

  /** Seconds between laps. */
  private static final class Stopwatch {
    private long last = System.nanoTime();

    double lap() {
      long now = System.nanoTime();
      double seconds = (now - last) / 1e9;
      last = now;
      return seconds;
    }
  }

  private static DreamPolicy load(
      Checkpoint checkpoint, LoraFactors.Settings settings, TrainConfig train, TorchDevice device) {
    try {
      return DreamPolicy.load(
          checkpoint, settings, (float) train.learningRate(), train.seed(), device);
    } catch (IllegalArgumentException e) {
      throw LockstepException.user(
          "Cannot go on training the adapter with train.rank=%d and train.alpha=%s: %s. Give its own."
              .formatted(train.rank(), train.alpha(), e.getMessage()),
          e);
    }
  }

  /** The driver is assigned no GPU, so it takes one only when that is asked for. */
  private static TorchDevice device(ModelConfig model) {
    return switch (model.device()) {
      case CUDA -> TorchDevice.cuda(Integer.parseInt(DeviceChoice.FIRST_GPU));
      case AUTO, CPU -> TorchDevice.cpu();
    };
  }

  /** Estimates are of the policy itself before its first step, so they agree with stored ones. */
  private static void requireOwnSamples(StepRecord step, TrainConfig train) {
    // Half a nat a token is far beyond what bfloat16 does to an estimate.
    if (step.step() == 1 && step.drift() > 0.5) {
      throw LockstepException.user(
          String.format(
              Locale.ROOT,
              "Cannot train on train.rollouts=%s: stored log-probabilities differ from the model's by %.2f a token on average, so another policy was asked. Roll out again with the default decode.logit_shift.",
              train.rollouts().orElse(""),
              step.drift()));
    }
  }
}
