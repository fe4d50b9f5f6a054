package ai.lockstep.datasets;

import ai.lockstep.failure.LockstepException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which tasks of a benchmark are wanted: {@code dataset.tasks} and {@code dataset.limit}.
 *
 * <pre>{@code
 * tasks  = item { "," item }
 * item   = id | number | range | glob
 * id     = prefix number             HumanEval/7
 * range  = [prefix] number "-" [number]   0-19, HumanEval/0-19, 10-
 * glob   = text with "*" or "?"      HumanEval/1*, 1*, *
 * }</pre>
 *
 * <p>A range includes both ends and may span gaps between task numbers. A glob has to match either
 * the whole id or its number. However the items are ordered and however often they name a task,
 * tasks come in file order and once.
 */
public final class TaskSelection {

  /** Every task. */
  public static final TaskSelection ALL = new TaskSelection(List.of(), OptionalInt.empty());

  private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");
  private static final Pattern RANGE = Pattern.compile("(\\d{1,9})-(\\d{0,9})");
  private static final Pattern TRAILING_NUMBER = Pattern.compile("(\\d{1,9})(-\\d*)?$");

  private final List<String> items;
  private final OptionalInt limit;

  private TaskSelection(List<String> items, OptionalInt limit) {
    this.items = items;
    this.limit = limit;
  }

  /** What {@code dataset.tasks} says; a blank text means every task. */
  public static TaskSelection of(String tasks) {
    List<String> items =
        Arrays.stream(tasks.split(",")).map(String::strip).filter(item -> !item.isEmpty()).toList();
    return new TaskSelection(items, OptionalInt.empty());
  }

  /**
   * The first tasks of this selection only.
   *
   * @param count {@code dataset.limit}; more than there are tasks means all of them
   * @throws LockstepException of category user if it is less than 1
   */
  public TaskSelection limit(int count) {
    if (count < 1) {
      throw LockstepException.user(
          "Cannot use dataset.limit=" + count + ": it must be at least 1; leave it out for all.");
    }

    return new TaskSelection(items, OptionalInt.of(count));
  }

  /**
   * The selected tasks in file order, at least one.
   *
   * @throws LockstepException of category user if an item selects nothing
   */
  public List<Task> select(Benchmark benchmark) {
    List<Predicate<Task>> wanted = new ArrayList<>();

    for (String item : items) {
      wanted.add(parse(item, benchmark));
    }

    return benchmark.tasks().stream()
        .filter(task -> wanted.isEmpty() || wanted.stream().anyMatch(item -> item.test(task)))
        .limit(limit.orElse(Integer.MAX_VALUE))
        .toList();
  }

  private static Predicate<Task> parse(String item, Benchmark benchmark) {
    Predicate<Task> wanted = meaning(item, benchmark.suite());

    if (benchmark.tasks().stream().noneMatch(wanted)) {
      throw LockstepException.user(
          "Cannot select dataset.tasks="
              + item
              + ": "
              + benchmark.suite().datasetName()
              + " has no such task; "
              + suggestion(item, benchmark)
              + ".");
    }

    return wanted;
  }

  private static Predicate<Task> meaning(String item, Suite suite) {
    String numbers =
        item.startsWith(suite.taskIdPrefix())
            ? item.substring(suite.taskIdPrefix().length())
            : item;

    if (NUMBER.matcher(numbers).matches()) {
      int number = Integer.parseInt(numbers);
      return task -> task.number() == number;
    }

    Matcher range = RANGE.matcher(numbers);

    if (range.matches()) {
      return between(item, range.group(1), range.group(2));
    }

    Pattern glob = glob(item);
    return task ->
        glob.matcher(task.taskId()).matches()
            || glob.matcher(Integer.toString(task.number())).matches();
  }

  private static Predicate<Task> between(String item, String firstText, String lastText) {
    int first = Integer.parseInt(firstText);
    int last = lastText.isEmpty() ? Integer.MAX_VALUE : Integer.parseInt(lastText);

    if (last < first) {
      throw LockstepException.user(
          "Cannot select dataset.tasks="
              + item
              + ": the range ends before it begins; write "
              + last
              + "-"
              + first
              + ".");
    }

    return task -> first <= task.number() && task.number() <= last;
  }

  /** Without a wildcard the pattern matches its own text only, which no task id is. */
  private static Pattern glob(String item) {
    return Pattern.compile(
        item.chars()
            .mapToObj(
                character ->
                    switch (character) {
                      case '*' -> ".*";
                      case '?' -> ".";
                      default -> Pattern.quote(Character.toString(character));
                    })
            .collect(Collectors.joining()));
  }

  private static String suggestion(String item, Benchmark benchmark) {
    List<Task> tasks = benchmark.tasks();
    Matcher number = TRAILING_NUMBER.matcher(item);

    if (!number.find()) {
      return "its tasks run from "
          + tasks.get(0).taskId()
          + " to "
          + tasks.get(tasks.size() - 1).taskId();
    }

    int wanted = Integer.parseInt(number.group(1));
    Task nearest =
        tasks.stream()
            .min(Comparator.comparingInt(task -> Math.abs(task.number() - wanted)))
            .orElseThrow();
    return "the nearest is " + nearest.taskId();
  }
}
