package ai.lockstep.jobs.decoding;

import ai.lockstep.jobs.run.PlannedRun;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.util.LongAccumulator;

/**
 * Says of each configuration when its last completion is there, by what the finished Spark tasks
 * have counted. Driver only.
 */
final class WholeConfigurations extends SparkListener {

  private final DecodePlan plan;
  private final Map<String, LongAccumulator> decoded;
  private final Consumer<PlannedRun> whole;
  private final Set<PlannedRun> told = new HashSet<>();

  /**
   * @param decoded counters by configuration
   */
  WholeConfigurations(
      DecodePlan plan, Map<String, LongAccumulator> decoded, Consumer<PlannedRun> whole) {
    this.plan = plan;
    this.decoded = decoded;
    this.whole = whole;
  }

  /** A task's counts arrive when its file is where it belongs. */
  @Override
  public void onTaskEnd(SparkListenerTaskEnd taskEnd) {
    look();
  }

  /** Tells of those that are complete by now. */
  synchronized void look() {
    for (DecodePlan.Part part : plan.parts()) {
      long rows = decoded.get(part.run().config().configId()).value();
      if (rows >= part.missingRows()) {
        tell(part.run());
      }
    }
  }

  /** Tells of all that have not been told of: everything is decoded. */
  synchronized void all() {
    plan.parts().forEach(part -> tell(part.run()));
  }

  private void tell(PlannedRun run) {
    if (told.add(run)) {
      whole.accept(run);
    }
  }
}
