package ai.lockstep.jobs.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BigIntegerNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Pattern;

/** Which type an unquoted word has, as Hydra's override grammar says (OverrideLexer.g4). */
final class ScalarText {

  private static final String DIGITS = "(?:0|[1-9](?:_?[0-9])*)";
  private static final Pattern INTEGER = Pattern.compile("[+-]?" + DIGITS);
  private static final String POINT =
      "(?:" + DIGITS + "\\.(?:[0-9](?:_?[0-9])*)?|\\.[0-9](?:_?[0-9])*)";
  private static final Pattern FLOATING =
      Pattern.compile("[+-]?(?:" + POINT + "|(?:" + POINT + "|" + DIGITS + ")[eE][+-]?[0-9]+)");

  private ScalarText() {}

  /** A null, boolean, integer, float or text node. */
  static JsonNode typed(String word) {
    switch (word.toLowerCase(Locale.ROOT)) {
      case "null":
        return NullNode.getInstance();
      case "true":
        return BooleanNode.TRUE;
      case "false":
        return BooleanNode.FALSE;
      case "inf", "+inf":
        return DoubleNode.valueOf(Double.POSITIVE_INFINITY);
      case "-inf":
        return DoubleNode.valueOf(Double.NEGATIVE_INFINITY);
      case "nan", "+nan", "-nan":
        return DoubleNode.valueOf(Double.NaN);
      default:
        return number(word);
    }
  }

  /** An integer or float node, or a text node when the word is neither. */
  private static JsonNode number(String word) {
    if (INTEGER.matcher(word).matches()) {
      return integer(new BigInteger(word.replace("_", "")));
    }
    if (FLOATING.matcher(word).matches()) {
      return DoubleNode.valueOf(Double.parseDouble(word.replace("_", "")));
    }
    return TextNode.valueOf(word);
  }

  private static JsonNode integer(BigInteger value) {
    if (value.bitLength() < Integer.SIZE) {
      return IntNode.valueOf(value.intValue());
    }
    return value.bitLength() < Long.SIZE
        ? LongNode.valueOf(value.longValue())
        : BigIntegerNode.valueOf(value);
  }
}
