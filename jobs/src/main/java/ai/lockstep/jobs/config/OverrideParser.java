package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import ai.lockstep.jobs.config.ConfigOverride.Operation;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Reads one override of a command line.
 *
 * <pre>
 * override  : key '=' value? | '+' '+'? key '=' value? | '~' key ('=' value?)?
 * key       : name (('.' | '/') name)* ('@' package)?
 * value     : element (',' element)*          more than one: the alternatives of a sweep
 * element   : quoted | list | dict | function | primitive
 * list      : '[' (element (',' element)*)? ']'
 * dict      : '{' (entry (',' entry)*)? '}'
 * entry     : (quoted | primitive) ':' element
 * function  : name '(' (argument (',' argument)*)? ')'
 * argument  : (name '=')? element
 * quoted    : "'" ... "'" | '"' ... '"'       a quote inside is written \' or \"
 * primitive : (escape | interpolation | index | character)+
 * escape    : '\' followed by one of , ( ) [ ] { } : = \ blank
 * interpolation : '${' ... '}'                kept as text, resolved after all merges
 * index     : '[' ... ']'                     behind other characters: local[2,4]
 * </pre>
 *
 * <p>A primitive is trimmed and typed by {@link ScalarText}. Two differences from Hydra 1.3, both
 * more lenient: {@code index} and {@code =} may stand inside a primitive.
 */
final class OverrideParser {

  private static final String ESCAPABLE = ",()[]{}:=\\ \t";
  private static final String FUNCTIONS = "choice, range, glob";

  private final String text;
  private int position;

  OverrideParser(String text) {
    this.text = text;
  }

  /** override : key '=' value? | '+' '+'? key '=' value? | '~' key ('=' value?)? */
  ConfigOverride parse() {
    Operation operation = operation();
    int keyColumn = position;
    String key = key();
    Optional<String> targetPackage = targetPackage();
    if (atEnd() && operation == Operation.DELETE) {
      return new ConfigOverride(
          text, operation, key, keyColumn, targetPackage, new OverrideValue.Absent());
    }
    if (!accept('=')) {
      throw failure(
          atEnd() ? "'=' and a value must follow the key" : "'=' must follow the key", position);
    }
    OverrideValue value = value();
    return new ConfigOverride(text, operation, key, keyColumn, targetPackage, value);
  }

  private Operation operation() {
    if (accept('~')) {
      return Operation.DELETE;
    }
    if (accept('+')) {
      return accept('+') ? Operation.SET_OR_ADD : Operation.ADD;
    }
    return Operation.SET;
  }

  /** key : name (('.' | '/') name)* */
  private String key() {
    int start = position;
    while (!atEnd() && isKeyCharacter(peek())) {
      position++;
    }
    String key = text.substring(start, position);
    if (key.isEmpty()) {
      throw failure("an override is KEY=VALUE and starts with the key", start);
    }
    if (key.matches("[./].*|.*[./]|.*[./][./].*")) {
      throw failure("the parts of a key are separated by single points or slashes", start);
    }
    return key;
  }

  private static boolean isKeyCharacter(char c) {
    return Character.isLetterOrDigit(c) || "_-./".indexOf(c) >= 0;
  }

  /** ('@' package)? */
  private Optional<String> targetPackage() {
    if (!accept('@')) {
      return Optional.empty();
    }
    int start = position;
    while (!atEnd() && isKeyCharacter(peek())) {
      position++;
    }
    if (position == start) {
      throw failure("a package must follow '@'", start);
    }
    return Optional.of(text.substring(start, position));
  }

  /** value : element (',' element)* */
  private OverrideValue value() {
    skipBlanks();
    if (atEnd()) {
      return new OverrideValue.Single(TextNode.valueOf(""));
    }
    List<String> texts = new ArrayList<>();
    List<OverrideValue> elements = new ArrayList<>();
    do {
      skipBlanks();
      int start = position;
      elements.add(element(","));
      texts.add(text.substring(start, position).strip());
      skipBlanks();
    } while (accept(','));
    if (!atEnd()) {
      throw failure("'%s' is not expected here".formatted(peek()), position);
    }
    if (elements.size() == 1) {
      return elements.get(0);
    }
    for (OverrideValue element : elements) {
      if (!(element instanceof OverrideValue.Single)) {
        throw failure("a sweep function must stand alone", text.indexOf('=') + 1);
      }
    }
    return new OverrideValue.CommaSeparated(texts);
  }

  /**
   * element : quoted | list | dict | function | primitive
   *
   * @param terminators characters that end a primitive
   */
  private OverrideValue element(String terminators) {
    if (atEnd()) {
      throw failure("a value is missing", position);
    }
    switch (peek()) {
      case '\'', '"':
        return new OverrideValue.Single(TextNode.valueOf(quoted()));
      case '[':
        return new OverrideValue.Single(list());
      case '{':
        return new OverrideValue.Single(dict());
      default:
        return functionAhead() ? function() : new OverrideValue.Single(primitive(terminators));
    }
  }

  /** An element inside a list, a dict or an argument list, where sweeps have no place. */
  private JsonNode plainElement(String terminators) {
    int start = position;
    if (element(terminators) instanceof OverrideValue.Single single) {
      return single.value();
    }
    throw failure("a sweep function cannot stand inside a value", start);
  }

  /** list : '[' (element (',' element)*)? ']' */
  private ArrayNode list() {
    int start = position;
    expect('[');
    ArrayNode list = JsonNodeFactory.instance.arrayNode();
    skipBlanks();
    if (accept(']')) {
      return list;
    }
    do {
      skipBlanks();
      list.add(plainElement(",]"));
      skipBlanks();
    } while (accept(','));
    close(']', "the list that starts here must end with ']'", start);
    return list;
  }

  /** dict : '{' (entry (',' entry)*)? '}' */
  private ObjectNode dict() {
    int start = position;
    expect('{');
    ObjectNode dict = JsonNodeFactory.instance.objectNode();
    skipBlanks();
    if (accept('}')) {
      return dict;
    }
    do {
      skipBlanks();
      String name = atQuote() ? quoted() : primitive(":,}").asText();
      skipBlanks();
      if (!accept(':')) {
        throw failure("':' and a value must follow the key '%s'".formatted(name), position);
      }
      skipBlanks();
      dict.set(name, plainElement(",}"));
      skipBlanks();
    } while (accept(','));
    close('}', "the dict that starts here must end with '}'", start);
    return dict;
  }

  private boolean functionAhead() {
    int i = position;
    while (i < text.length()
        && (Character.isLetterOrDigit(text.charAt(i)) || text.charAt(i) == '_')) {
      i++;
    }
    return i > position && i < text.length() && text.charAt(i) == '(';
  }

  /** function : name '(' (argument (',' argument)*)? ')' */
  private OverrideValue function() {
    int start = position;
    position = text.indexOf('(', start);
    String name = text.substring(start, position);
    expect('(');
    List<Argument> arguments = new ArrayList<>();
    skipBlanks();
    if (!accept(')')) {
      do {
        skipBlanks();
        arguments.add(argument());
        skipBlanks();
      } while (accept(','));
      close(')', "the arguments that start here must end with ')'", start + name.length());
    }
    switch (name) {
      case "choice":
        return choice(arguments, start);
      case "range":
        return range(arguments, start);
      case "glob":
        return glob(arguments, start);
      case "interval":
        throw failure(
            "interval() needs an optimiser to pick from it; list the values, or use"
                + " range(start,stop,step)",
            start);
      default:
        throw failure(
            "there is no function '%s' (available: %s); quote the value if it is text"
                .formatted(name, FUNCTIONS),
            start);
    }
  }

  /** argument : (name '=')? element */
  private Argument argument() {
    int start = position;
    int i = position;
    while (i < text.length() && (Character.isLetter(text.charAt(i)) || text.charAt(i) == '_')) {
      i++;
    }
    Optional<String> name = Optional.empty();
    if (i > position && i < text.length() && text.charAt(i) == '=') {
      name = Optional.of(text.substring(position, i));
      position = i + 1;
      start = position;
    }
    JsonNode value = plainElement(",)");
    return new Argument(name, value, text.substring(start, position).strip());
  }

  private record Argument(Optional<String> name, JsonNode value, String typed) {}

  private OverrideValue choice(List<Argument> arguments, int start) {
    if (arguments.isEmpty()) {
      throw failure("choice() needs at least one value", start);
    }
    return new OverrideValue.Enumerated("choice", arguments.stream().map(Argument::typed).toList());
  }

  /** range(stop), range(start,stop), range(start,stop,step): stop is not reached, as in Python. */
  private OverrideValue range(List<Argument> arguments, int start) {
    List<String> names = arguments.size() == 1 ? List.of("stop") : List.of("start", "stop", "step");
    Map<String, BigDecimal> given = new TreeMap<>();
    for (int i = 0; i < arguments.size(); i++) {
      Argument argument = arguments.get(i);
      if (i >= names.size() || !argument.value().isNumber()) {
        throw failure("range() takes numbers: (stop), (start,stop) or (start,stop,step)", start);
      }
      given.put(argument.name().orElse(names.get(i)), argument.value().decimalValue());
    }
    BigDecimal first = given.getOrDefault("start", BigDecimal.ZERO);
    BigDecimal step = given.getOrDefault("step", BigDecimal.ONE);
    if (!given.containsKey("stop") || step.signum() == 0) {
      throw failure("range() needs a stop, and a step other than 0", start);
    }
    BigDecimal stop = given.get("stop");
    List<String> texts = new ArrayList<>();
    for (BigDecimal value = first;
        step.signum() > 0 ? value.compareTo(stop) < 0 : value.compareTo(stop) > 0;
        value = value.add(step)) {
      texts.add(value.toPlainString());
    }
    if (texts.isEmpty()) {
      throw failure("the range is empty", start);
    }
    return new OverrideValue.Enumerated("range", texts);
  }

  /** glob(pattern), glob([patterns]), each with exclude=pattern or exclude=[patterns]. */
  private OverrideValue glob(List<Argument> arguments, int start) {
    List<String> included = new ArrayList<>();
    List<String> excluded = new ArrayList<>();
    for (Argument argument : arguments) {
      List<String> patterns =
          argument.name().orElse("include").equals("exclude") ? excluded : included;
      if (argument.value().isArray()) {
        argument.value().forEach(pattern -> patterns.add(pattern.asText()));
      } else {
        patterns.add(argument.value().asText());
      }
    }
    if (included.isEmpty()) {
      throw failure("glob() needs a pattern, such as glob(*)", start);
    }
    return new OverrideValue.Glob(included, excluded);
  }

  /** quoted : "'" ... "'" | '"' ... '"' */
  private String quoted() {
    int start = position;
    char quote = text.charAt(position++);
    StringBuilder value = new StringBuilder();
    while (!atEnd()) {
      char c = text.charAt(position++);
      if (c == quote) {
        return value.toString();
      }
      // Only a backslash before a quote or before another backslash is special.
      if (c == '\\' && !atEnd() && (peek() == quote || peek() == '\\')) {
        c = text.charAt(position++);
      }
      value.append(c);
    }
    throw failure("the quote that starts here is not closed", start);
  }

  /** primitive : (escape | interpolation | index | character)+ */
  private JsonNode primitive(String terminators) {
    int start = position;
    StringBuilder value = new StringBuilder();
    boolean escaped = false;
    while (!atEnd() && terminators.indexOf(peek()) < 0) {
      char c = peek();
      if (c == '\\' && position + 1 < text.length() && isEscapable(text.charAt(position + 1))) {
        escaped = true;
        value.append(text.charAt(position + 1));
        position += 2;
      } else if (text.startsWith("${", position)) {
        value.append(
            balanced("${", '{', '}', "the interpolation that starts here must end with '}'"));
      } else if (c == '[' && position > start) {
        value.append(balanced("[", '[', ']', "the '[' must be followed by a ']'"));
      } else if ("()[]{}'\"".indexOf(c) >= 0) {
        throw failure(
            "%s is not expected here; quote the value to use it as text"
                .formatted(c == '\'' ? "a quote" : "'" + c + "'"),
            position);
      } else {
        value.append(c);
        position++;
      }
    }
    String word = escaped ? value.toString() : value.toString().strip();
    if (word.isEmpty()) {
      throw failure("a value is missing", start);
    }
    return escaped ? TextNode.valueOf(word) : ScalarText.typed(word);
  }

  private static boolean isEscapable(char c) {
    return ESCAPABLE.indexOf(c) >= 0;
  }

  /** Everything up to the bracket that closes the one at the position. */
  private String balanced(String opening, char open, char close, String problem) {
    int start = position;
    position += opening.length();
    for (int depth = 1; depth > 0; position++) {
      if (atEnd()) {
        throw failure(problem, start);
      }
      depth += peek() == open ? 1 : peek() == close ? -1 : 0;
    }
    return text.substring(start, position);
  }

  private boolean atEnd() {
    return position >= text.length();
  }

  private boolean atQuote() {
    return !atEnd() && (peek() == '\'' || peek() == '"');
  }

  private char peek() {
    return text.charAt(position);
  }

  private boolean accept(char c) {
    if (atEnd() || peek() != c) {
      return false;
    }
    position++;
    return true;
  }

  private void expect(char c) {
    if (!accept(c)) {
      throw new IllegalStateException("'" + c + "' was looked at before");
    }
  }

  private void close(char c, String problem, int openedAt) {
    if (!accept(c)) {
      throw failure(problem, openedAt);
    }
  }

  private void skipBlanks() {
    while (!atEnd() && (peek() == ' ' || peek() == '\t')) {
      position++;
    }
  }

  private LockstepException failure(String problem, int column) {
    return Caret.at("Could not read the override '%s': %s.".formatted(text, problem), text, column);
  }
}
