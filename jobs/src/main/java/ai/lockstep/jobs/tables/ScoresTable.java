package ai.lockstep.jobs.tables;

import static org.apache.spark.sql.types.DataTypes.BooleanType;
import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.StringType;

/** {@code scores}: one row a judged sample. */
public final class ScoresTable {

  /** The declaration. */
  public static final Table TABLE =
      Table.named("scores")
          .required("run_id", StringType, "run that judged the row")
          .required("dataset", StringType, "dataset.name")
          .required("task_id", StringType, "task id")
          .required("sample_index", IntegerType, "sample within the task, from 0")
          .required("input_index", IntegerType, "place of the sample in the input, from 0")
          .optional("id", StringType, "the samples file's own id; null when it has none")
          .required("text", StringType, "the answer or sample as given; a lone surrogate is a ?")
          .required("program", StringType, "the program that was run; a lone surrogate is a ?")
          .required("program_sha256", StringType, "hex digest of the program in UTF-8")
          .required("extraction", StringType, "how the program was found in the text")
          .required("base_status", StringType, "EvalPlus's word: pass, fail or timeout")
          .optional("plus_status", StringType, "the same for base and plus; null with base only")
          .required("passed_base", BooleanType, "base_status is pass")
          .required("passed_plus", BooleanType, "base_status and plus_status are pass")
          .required("outcome", StringType, "finer reason: passed, wrong_answer, exception, ...")
          .optional("message", StringType, "one line on the first failure; null when passed")
          .required("base_tests", IntegerType, "base tests of the task")
          .required("base_passed", IntegerType, "base tests passed; the rest may not have run")
          .required("plus_tests", IntegerType, "plus tests of the task")
          .required("plus_passed", IntegerType, "plus tests passed; the rest may not have run")
          .optional("base_details", StringType, "one 0 or 1 a finished base test")
          .optional("plus_details", StringType, "one 0 or 1 a finished plus test")
          .optional("base_failed_input", StringType, "JSON arguments of the first failed base test")
          .optional("plus_failed_input", StringType, "JSON arguments of the first failed plus test")
          .required("tampered", BooleanType, "the program tried to forge its verdict")
          .optional("tamper_reason", StringType, "what it tried; null when not tampered")
          .required("wall_seconds", DoubleType, "time the judgement took; 0 when reused")
          .required("reused", BooleanType, "the verdict is that of an equal program of the task")
          .required("reward", DoubleType, "1 when all tests that were run pass, else 0")
          .required("isolation", StringType, "sandbox level the program ran in")
          .required("interpreter", StringType, "Python and numpy versions")
          .required("dataset_md5", StringType, "MD5 of the benchmark file")
          .required(Table.PARTITION, StringType, "digest of the configuration")
          .declared();

  private ScoresTable() {}
}
