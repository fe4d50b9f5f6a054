package ai.lockstep.jobs.wandb;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One {@code Record} of wandb/proto/wandb_internal.proto: which of its kinds, and the kind's own
 * message. Field numbers are that file's.
 *
 * @param kind field of {@code Record} that holds the message
 * @param message the message
 */
record WandbRecord(Kind kind, WireMessage message) {

  private static final int RECORD_NUM = 1;

  /** The kinds that are written here. */
  enum Kind {
    HISTORY(2),
    SUMMARY(3),
    CONFIG(5),
    FILES(6),
    STATS(7),
    TELEMETRY(11),
    METRIC(12),
    OUTPUT_RAW(13),
    RUN(17),
    EXIT(18),
    FINAL(20),
    HEADER(21),
    FOOTER(22),
    ENVIRONMENT(26);

    private final int field;

    Kind(int field) {
      this.field = field;
    }
  }

  private static final int ITEM_KEY = 1;
  private static final int ITEM_NESTED_KEY = 2;
  private static final int ITEM_VALUE_JSON = 16;

  private static final int HEADER_VERSION_INFO = 1;
  private static final int VERSION_INFO_PRODUCER = 1;

  private static final int RUN_ID = 1;
  private static final int RUN_ENTITY = 2;
  private static final int RUN_PROJECT = 3;
  private static final int RUN_GROUP = 6;
  private static final int RUN_JOB_TYPE = 7;
  private static final int RUN_DISPLAY_NAME = 8;
  private static final int RUN_TAGS = 10;
  private static final int RUN_HOST = 13;
  private static final int RUN_START_TIME = 17;
  private static final int RUN_GIT = 21;
  private static final int GIT_COMMIT = 2;

  private static final int TELEMETRY_CLI_VERSION = 5;
  private static final int TELEMETRY_PLATFORM = 13;

  private static final int ENVIRONMENT_OS = 1;
  private static final int ENVIRONMENT_STARTED_AT = 3;
  private static final int ENVIRONMENT_ARGS = 5;
  private static final int ENVIRONMENT_PROGRAM = 6;
  private static final int ENVIRONMENT_GIT = 9;
  private static final int ENVIRONMENT_ROOT = 11;
  private static final int ENVIRONMENT_HOST = 12;
  private static final int ENVIRONMENT_USERNAME = 13;
  private static final int ENVIRONMENT_EXECUTABLE = 14;
  private static final int ENVIRONMENT_CPU_COUNT_LOGICAL = 17;
  private static final int ENVIRONMENT_WRITER_ID = 199;

  private static final int UPDATE = 1;
  private static final int HISTORY_ITEM = 1;
  private static final int HISTORY_STEP = 2;
  private static final int STEP_NUM = 1;

  private static final int METRIC_NAME = 1;
  private static final int METRIC_STEP_METRIC = 4;
  private static final int METRIC_OPTIONS = 6;
  private static final int OPTIONS_STEP_SYNC = 1;
  private static final int OPTIONS_DEFINED = 3;

  private static final int STATS_TIMESTAMP = 2;
  private static final int STATS_ITEM = 3;

  private static final int OUTPUT_TYPE = 1;
  private static final int OUTPUT_TYPE_STDOUT = 1;
  private static final int OUTPUT_TIMESTAMP = 2;
  private static final int OUTPUT_LINE = 3;

  private static final int FILES_ITEM = 1;
  private static final int FILE_PATH = 1;
  private static final int FILE_POLICY = 2;
  private static final int FILE_TYPE = 3;
  private static final int POLICY_END = 1;

  private static final int EXIT_CODE = 1;
  private static final int EXIT_RUNTIME = 2;

  /** What a file of a run is. */
  enum FileType {
    OTHER(0),
    WANDB(1),
    MEDIA(2);

    private final int number;

    FileType(int number) {
      this.number = number;
    }
  }

  static WandbRecord header(String producer) {
    return new WandbRecord(
        Kind.HEADER,
        new WireMessage()
            .message(HEADER_VERSION_INFO, new WireMessage().text(VERSION_INFO_PRODUCER, producer)));
  }

  static WandbRecord run(
      String runId, String jobType, String name, WandbSettings settings, RunEnvironment here) {
    WireMessage run =
        new WireMessage()
            .text(RUN_ID, runId)
            .text(RUN_ENTITY, settings.entity())
            .text(RUN_PROJECT, settings.project())
            .text(RUN_GROUP, settings.group())
            .text(RUN_JOB_TYPE, jobType)
            .text(RUN_DISPLAY_NAME, name);
    settings.tags().forEach(tag -> run.element(RUN_TAGS, tag));
    run.text(RUN_HOST, here.host()).timestamp(RUN_START_TIME, here.startedAt());
    here.commit().ifPresent(commit -> run.message(RUN_GIT, git(commit)));
    return new WandbRecord(Kind.RUN, run);
  }

  private static WireMessage git(String commit) {
    return new WireMessage().text(GIT_COMMIT, commit);
  }

  static WandbRecord telemetry(String version, RunEnvironment here) {
    return new WandbRecord(
        Kind.TELEMETRY,
        new WireMessage()
            .text(TELEMETRY_CLI_VERSION, version)
            .text(TELEMETRY_PLATFORM, here.platform()));
  }

  static WandbRecord environment(String writerId, RunEnvironment here) {
    WireMessage environment =
        new WireMessage()
            .text(ENVIRONMENT_OS, here.os())
            .timestamp(ENVIRONMENT_STARTED_AT, here.startedAt());
    here.args().forEach(word -> environment.element(ENVIRONMENT_ARGS, word));
    environment.text(ENVIRONMENT_PROGRAM, here.program());
    here.commit().ifPresent(commit -> environment.message(ENVIRONMENT_GIT, git(commit)));
    environment
        .text(ENVIRONMENT_ROOT, here.root())
        .text(ENVIRONMENT_HOST, here.host())
        .text(ENVIRONMENT_USERNAME, here.username())
        .text(ENVIRONMENT_EXECUTABLE, here.executable())
        .integer(ENVIRONMENT_CPU_COUNT_LOGICAL, here.cpuCount())
        .text(ENVIRONMENT_WRITER_ID, writerId);
    return new WandbRecord(Kind.ENVIRONMENT, environment);
  }

  static WandbRecord config(ObjectNode values) {
    return new WandbRecord(Kind.CONFIG, items(UPDATE, values));
  }

  static WandbRecord summary(ObjectNode values, long runtimeSeconds) {
    WireMessage summary = items(UPDATE, values);
    summary.message(
        UPDATE,
        new WireMessage()
            .element(ITEM_NESTED_KEY, "_wandb")
            .element(ITEM_NESTED_KEY, "runtime")
            .text(ITEM_VALUE_JSON, Long.toString(runtimeSeconds)));
    return new WandbRecord(Kind.SUMMARY, summary);
  }

  /**
   * A row of history.
   *
   * @param values with {@code _step}, {@code _runtime} and {@code _timestamp}: nobody adds them
   *     later
   */
  static WandbRecord history(ObjectNode values, long step) {
    return new WandbRecord(
        Kind.HISTORY,
        items(HISTORY_ITEM, values)
            .message(HISTORY_STEP, new WireMessage().integer(STEP_NUM, step)));
  }

  private static WireMessage items(int field, ObjectNode values) {
    WireMessage message = new WireMessage();
    for (Map.Entry<String, JsonNode> value : values.properties()) {
      message.message(field, item(value.getKey(), WandbJson.text(value.getValue())));
    }
    return message;
  }

  private static WireMessage item(String key, String json) {
    return new WireMessage().text(ITEM_KEY, key).text(ITEM_VALUE_JSON, json);
  }

  /** Says that a metric exists, and what it is drawn over. */
  static WandbRecord metric(String name, Optional<String> over) {
    WireMessage options = new WireMessage();
    over.ifPresent(step -> options.set(OPTIONS_STEP_SYNC));
    return new WandbRecord(
        Kind.METRIC,
        new WireMessage()
            .text(METRIC_NAME, name)
            .text(METRIC_STEP_METRIC, over)
            .message(METRIC_OPTIONS, options.set(OPTIONS_DEFINED)));
  }

  static WandbRecord stats(Instant at, Map<String, Double> values) {
    WireMessage stats = new WireMessage().timestamp(STATS_TIMESTAMP, at);
    values.forEach((key, value) -> stats.message(STATS_ITEM, item(key, Double.toString(value))));
    return new WandbRecord(Kind.STATS, stats);
  }

  /** A line of standard output, its end included. */
  static WandbRecord output(Instant at, String line) {
    return new WandbRecord(
        Kind.OUTPUT_RAW,
        new WireMessage()
            .integer(OUTPUT_TYPE, OUTPUT_TYPE_STDOUT)
            .timestamp(OUTPUT_TIMESTAMP, at)
            .text(OUTPUT_LINE, line));
  }

  /** Files to upload when the run ends, by their paths under the run's {@code files}. */
  static WandbRecord files(List<String> paths, FileType type) {
    WireMessage files = new WireMessage();
    for (String path : paths) {
      files.message(
          FILES_ITEM,
          new WireMessage()
              .text(FILE_PATH, path)
              .integer(FILE_POLICY, POLICY_END)
              .integer(FILE_TYPE, type.number));
    }
    return new WandbRecord(Kind.FILES, files);
  }

  static WandbRecord exit(int code, long runtimeSeconds) {
    return new WandbRecord(
        Kind.EXIT,
        new WireMessage().integer(EXIT_CODE, code).integer(EXIT_RUNTIME, runtimeSeconds));
  }

  /** The end of the run, for readers that act on it rather than on the exit. */
  static WandbRecord last() {
    return new WandbRecord(Kind.FINAL, new WireMessage());
  }

  static WandbRecord footer() {
    return new WandbRecord(Kind.FOOTER, new WireMessage());
  }

  /**
   * The record's bytes.
   *
   * @param num its place in the file, from 1
   */
  byte[] toByteArray(long num) {
    return new WireMessage().integer(RECORD_NUM, num).message(kind.field, message).toByteArray();
  }
}
