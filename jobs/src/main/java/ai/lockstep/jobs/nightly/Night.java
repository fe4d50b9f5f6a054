package ai.lockstep.jobs.nightly;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.harness.estimate.TaskTally;
import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import java.io.IOException;
import java.io.InputStream;
import java.time.LocalDate;

/**
 * A night that is over, as {@code night.json} keeps it: enough to compare later nights with, also
 * when its tables are gone.
 *
 * @param results what was measured
 * @param verdict what it came to
 * @param headline the same in one line
 */
public record Night(
    @JsonProperty("results") NightResults results,
    @JsonProperty("verdict") Verdict verdict,
    @JsonProperty("headline") String headline) {

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .registerModule(new Jdk8Module())
          .registerModule(
              new SimpleModule()
                  .addSerializer(LocalDate.class, ToStringSerializer.instance)
                  .addDeserializer(LocalDate.class, new DateReader()))
          .addMixIn(TaskTally.class, TallyAsPair.class)
          .enable(SerializationFeature.INDENT_OUTPUT);

  /** {@code [samples, correct]}: there are hundreds. */
  @JsonFormat(shape = JsonFormat.Shape.ARRAY)
  @JsonPropertyOrder({"samples", "correct"})
  private interface TallyAsPair {}

  private static final class DateReader extends StdDeserializer<LocalDate> {

    private DateReader() {
      super(LocalDate.class);
    }

    @Override
    public LocalDate deserialize(JsonParser in, DeserializationContext context) throws IOException {
      return LocalDate.parse(in.getText());
    }
  }

  /** The date. */
  LocalDate date() {
    return results.date();
  }

  /** What {@code night.json} holds. */
  public byte[] json() {
    try {
      return JSON.writeValueAsBytes(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A night is plain data", e);
    }
  }

  /**
   * Reads {@code night.json}.
   *
   * @param location for the message
   * @throws LockstepException (user) when it is something else
   */
  static Night read(InputStream in, String location) throws IOException {
    try {
      return JSON.readValue(in, Night.class);
    } catch (JacksonException e) {
      throw LockstepException.user(
          "Cannot read %s: it is not what the nightly job wrote. Restore it, or remove its folder."
              .formatted(location),
          e);
    }
  }
}
