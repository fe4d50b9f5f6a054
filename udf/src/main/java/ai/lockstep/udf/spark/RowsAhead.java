package ai.lockstep.udf.spark;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;
import org.apache.spark.sql.Row;

/**
 * Maps rows through something that works on several at once, and returns them in order: rows are
 * handed in ahead of the one that is waited for. For one thread.
 *
 * @param <S> what is mapped
 * @param <T> one of them that was handed in
 */
public final class RowsAhead<S, T> implements Iterator<Row> {

  private final Iterator<? extends S> rows;
  private final int ahead;
  private final Function<S, T> submit;
  private final Function<T, Row> finish;
  private final Deque<T> inFlight = new ArrayDeque<>();

  /**
   * Nothing is handed in before the first row is asked for.
   *
   * @param ahead rows in flight at most, at least 1
   * @param submit hands a row in, without waiting for its result
   * @param finish waits for the result
   */
  public RowsAhead(
      Iterator<? extends S> rows, int ahead, Function<S, T> submit, Function<T, Row> finish) {
    this.rows = rows;
    this.ahead = ahead;
    this.submit = submit;
    this.finish = finish;
  }

  @Override
  public boolean hasNext() {
    return !inFlight.isEmpty() || rows.hasNext();
  }

  @Override
  public Row next() {
    while (inFlight.size() < ahead && rows.hasNext()) {
      inFlight.add(submit.apply(rows.next()));
    }
    if (inFlight.isEmpty()) {
      throw new NoSuchElementException();
    }
    return finish.apply(inFlight.remove());
  }
}
