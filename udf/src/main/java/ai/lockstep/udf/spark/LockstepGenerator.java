package ai.lockstep.udf.spark;

import ai.lockstep.udf.decode.CacheMode;
import ai.lockstep.udf.decode.LockstepMode;
import ai.lockstep.udf.decode.LockstepSettings;
import ai.lockstep.udf.model.Sampling;
import java.util.List;
import java.util.Locale;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Answers a column of prompts by lockstep decoding, as a Spark ML transformer:
 *
 * <pre>
 * new LockstepGenerator().setInputCol("prompt").setOutputCol("answer").transform(prompts)
 * </pre>
 *
 * <p>Parameters are named as in DJL's Spark extension where it has them ({@code modelUrl}, {@code
 * engine}, {@code batchSize}, {@code inputCol}, {@code outputCol}), else as lockstep's keys. Unlike
 * that extension it loads the model once an executor, on the GPU that Spark assigned, and packs
 * rows of all Spark tasks of the executor into one batch.
 *
 * <p>Lazy, and a row costs seconds: cache or write what comes out before it is read twice. Rows
 * keep their order within a partition. A row that cannot be decoded gets a null answer, and {@code
 * detailsCol} says why.
 */
public final class LockstepGenerator extends Transformer implements DefaultParamsWritable {

  private static final long serialVersionUID = 1;

  private static final String PYTORCH = "PyTorch";
  private static final String RAW = "raw";
  static final String CHAT = "chat";

  /** What {@code detailsCol} holds. */
  public static final StructType DETAILS =
      new StructType()
          .add("error", DataTypes.StringType, true)
          .add("text", DataTypes.StringType, true)
          .add("text_r", DataTypes.StringType, true)
          .add("text_a", DataTypes.StringType, true)
          .add("token_ids", DataTypes.createArrayType(DataTypes.IntegerType, false), true)
          .add("nfe", DataTypes.IntegerType, true)
          .add("fill_rate", DataTypes.DoubleType, true)
          .add("tokens_per_nfe", DataTypes.DoubleType, true)
          .add("replica", DataTypes.StringType, false);

  private final String uid;
  private final Param<String> inputCol;
  private final Param<String> outputCol;
  private final Param<String> detailsCol;
  private final Param<String> idCol;
  private final Param<String> modelUrl;
  private final Param<String> adapter;
  private final Param<String> engine;
  private final Param<String> device;
  private final IntParam batchSize;
  private final Param<String> prompt;
  private final Param<String> mode;
  private final DoubleParam tauR;
  private final DoubleParam tauA;
  private final DoubleParam maxFillFrac;
  private final IntParam rLength;
  private final IntParam aLength;
  private final Param<String> rOpen;
  private final Param<String> aOpen;
  private final Param<String> cache;
  private final IntParam halo;
  private final DoubleParam temperature;
  private final DoubleParam topP;
  private final IntParam topK;
  private final IntParam steps;
  private final LongParam seed;

  /** With a uid of its own. */
  public LockstepGenerator() {
    this(Identifiable.randomUID("lockstepGenerator"));
  }

  /** With a given uid; a saved transformer is read so. */
  public LockstepGenerator(String uid) {
    this.uid = uid;
    this.inputCol = new Param<>(this, "inputCol", "column with the prompt's text");
    this.outputCol =
        new Param<>(
            this, "outputCol", "column to add: the answer's text, null for a row that failed");
    this.detailsCol =
        new Param<>(
            this, "detailsCol", "column to add with what decoding leaves behind; empty for none");
    this.idCol =
        new Param<>(
            this,
            "idCol",
            "column whose text, with the seed, decides a row's random draws; empty for the prompt");
    this.modelUrl =
        new Param<>(
            this, "modelUrl", "bundled:NAME, hf://organisation/model[@revision], or a folder");
    this.adapter =
        new Param<>(this, "adapter", "folder of a LoRA adapter to merge; empty for none");
    this.engine =
        new Param<>(
            this,
            "engine",
            "PyTorch, the only engine that the model runs on",
            ParamValidators.inArray(List.of(PYTORCH)));
    this.device =
        new Param<>(
            this,
            "device",
            "auto (the GPU that Spark assigned, else the CPU), cpu, cuda",
            ParamValidators.inArray(List.of("auto", "cpu", "cuda")));
    this.batchSize =
        new IntParam(
            this,
            "batchSize",
            "rows decoded together by an executor's replica, at least 1",
            ParamValidators.gtEq(1));
    this.prompt =
        new Param<>(
            this,
            "prompt",
            "raw (the text as it is), chat (one user turn in the model's template)",
            ParamValidators.inArray(List.of(RAW, CHAT)));
    this.mode = new Param<>(this, "mode", "gauss_seidel (R, then A on the updated row), jacobi");
    this.tauR =
        new DoubleParam(this, "tauR", "probability from which a token of R is accepted, in (0, 1]");
    this.tauA =
        new DoubleParam(this, "tauA", "probability from which a token of A is accepted, in (0, 1]");
    this.maxFillFrac =
        new DoubleParam(
            this, "maxFillFrac", "largest share of a block's masks one pass may commit, in (0, 1]");
    this.rLength = new IntParam(this, "rLength", "tokens of the reasoning block; 0 for none");
    this.aLength = new IntParam(this, "aLength", "tokens of the answer block");
    this.rOpen = new Param<>(this, "rOpen", "text in front of R");
    this.aOpen = new Param<>(this, "aOpen", "text in front of A");
    this.cache = new Param<>(this, "cache", "none (exact), prefix, dual");
    this.halo =
        new IntParam(
            this,
            "halo",
            "positions recomputed on either side of the active block; only with a cache");
    this.temperature =
        new DoubleParam(
            this, "temperature", "0 for the most probable token, above it tokens are drawn");
    this.topP =
        new DoubleParam(this, "topP", "keep the most probable tokens that sum to this, in (0, 1]");
    this.topK = new IntParam(this, "topK", "keep so many most probable tokens; 0 for all");
    this.steps =
        new IntParam(this, "steps", "most sweeps; 0 for as many as the longer block has tokens");
    this.seed = new LongParam(this, "seed", "decides every random draw, with the row's id");
    setDefault(detailsCol, "");
    setDefault(idCol, "");
    setDefault(modelUrl, "bundled:dream-tiny");
    setDefault(adapter, CheckpointModel.NO_ADAPTER);
    setDefault(engine, PYTORCH);
    setDefault(device, DeviceChoice.AUTO.spelling());
    setDefault(batchSize, ReplicaSettings.DEFAULT_BATCH_SIZE);
    setDefault(prompt, RAW);
    setDefault(mode, LockstepMode.GAUSS_SEIDEL.spelling());
    setDefault(tauR, 0.90);
    setDefault(tauA, 0.92);
    setDefault(maxFillFrac, 0.4);
    setDefault(rLength, 48);
    setDefault(aLength, 160);
    setDefault(rOpen, "[R]");
    setDefault(aOpen, "[A]");
    setDefault(cache, CacheMode.NONE.spelling());
    setDefault(halo, 8);
    setDefault(temperature, 0.0);
    setDefault(topP, 1.0);
    setDefault(topK, Sampling.NO_TOP_K);
    setDefault(steps, LockstepSettings.AS_LONG_AS_BLOCKS);
    setDefault(seed, 0L);
  }

  @Override
  public String uid() {
    return uid;
  }

  /** Column with the prompt's text. */
  public Param<String> inputCol() {
    return inputCol;
  }

  /** See {@link #inputCol}. */
  public LockstepGenerator setInputCol(String value) {
    set(inputCol, value);
    return this;
  }

  /** Column to add: the answer's text, null for a row that failed. */
  public Param<String> outputCol() {
    return outputCol;
  }

  /** See {@link #outputCol}. */
  public LockstepGenerator setOutputCol(String value) {
    set(outputCol, value);
    return this;
  }

  /** Column to add with what decoding leaves behind; empty for none. */
  public Param<String> detailsCol() {
    return detailsCol;
  }

  /** See {@link #detailsCol}. */
  public LockstepGenerator setDetailsCol(String value) {
    set(detailsCol, value);
    return this;
  }

  /** Column whose text, with the seed, decides a row's random draws; empty for the prompt. */
  public Param<String> idCol() {
    return idCol;
  }

  /** See {@link #idCol}. */
  public LockstepGenerator setIdCol(String value) {
    set(idCol, value);
    return this;
  }

  /** Bundled:NAME, hf://organisation/model[@revision], or a folder. */
  public Param<String> modelUrl() {
    return modelUrl;
  }

  /** See {@link #modelUrl}. */
  public LockstepGenerator setModelUrl(String value) {
    set(modelUrl, value);
    return this;
  }

  /** Folder of a LoRA adapter to merge; empty for none. */
  public Param<String> adapter() {
    return adapter;
  }

  /** See {@link #adapter}. */
  public LockstepGenerator setAdapter(String value) {
    set(adapter, value);
    return this;
  }

  /** PyTorch, the only engine that the model runs on. */
  public Param<String> engine() {
    return engine;
  }

  /** See {@link #engine}. */
  public LockstepGenerator setEngine(String value) {
    set(engine, value);
    return this;
  }

  /** Auto (the GPU that Spark assigned, else the CPU), cpu, cuda. */
  public Param<String> device() {
    return device;
  }

  /** See {@link #device}. */
  public LockstepGenerator setDevice(String value) {
    set(device, value);
    return this;
  }

  /** Rows decoded together by an executor's replica, at least 1. */
  public IntParam batchSize() {
    return batchSize;
  }

  /** See {@link #batchSize}. */
  public LockstepGenerator setBatchSize(int value) {
    set(batchSize, value);
    return this;
  }

  /** Raw (the text as it is), chat (one user turn in the model's template). */
  public Param<String> prompt() {
    return prompt;
  }

  /** See {@link #prompt}. */
  public LockstepGenerator setPrompt(String value) {
    set(prompt, value);
    return this;
  }

  /** Gauss_seidel (R, then A on the updated row), jacobi. */
  public Param<String> mode() {
    return mode;
  }

  /** See {@link #mode}. */
  public LockstepGenerator setMode(String value) {
    set(mode, value);
    return this;
  }

  /** Probability from which a token of R is accepted, in (0, 1]. */
  public DoubleParam tauR() {
    return tauR;
  }

  /** See {@link #tauR}. */
  public LockstepGenerator setTauR(double value) {
    set(tauR, value);
    return this;
  }

  /** Probability from which a token of A is accepted, in (0, 1]. */
  public DoubleParam tauA() {
    return tauA;
  }

  /** See {@link #tauA}. */
  public LockstepGenerator setTauA(double value) {
    set(tauA, value);
    return this;
  }

  /** Largest share of a block's masks one pass may commit, in (0, 1]. */
  public DoubleParam maxFillFrac() {
    return maxFillFrac;
  }

  /** See {@link #maxFillFrac}. */
  public LockstepGenerator setMaxFillFrac(double value) {
    set(maxFillFrac, value);
    return this;
  }

  /** Tokens of the reasoning block; 0 for none. */
  public IntParam rLength() {
    return rLength;
  }

  /** See {@link #rLength}. */
  public LockstepGenerator setRLength(int value) {
    set(rLength, value);
    return this;
  }

  /** Tokens of the answer block. */
  public IntParam aLength() {
    return aLength;
  }

  /** See {@link #aLength}. */
  public LockstepGenerator setALength(int value) {
    set(aLength, value);
    return this;
  }

  /** Text in front of R. */
  public Param<String> rOpen() {
    return rOpen;
  }

  /** See {@link #rOpen}. */
  public LockstepGenerator setROpen(String value) {
    set(rOpen, value);
    return this;
  }

  /** Text in front of A. */
  public Param<String> aOpen() {
    return aOpen;
  }

  /** See {@link #aOpen}. */
  public LockstepGenerator setAOpen(String value) {
    set(aOpen, value);
    return this;
  }

  /** None (exact), prefix, dual. */
  public Param<String> cache() {
    return cache;
  }

  /** See {@link #cache}. */
  public LockstepGenerator setCache(String value) {
    set(cache, value);
    return this;
  }

  /** Positions recomputed on either side of the active block; only with a cache. */
  public IntParam halo() {
    return halo;
  }

  /** See {@link #halo}. */
  public LockstepGenerator setHalo(int value) {
    set(halo, value);
    return this;
  }

  /** 0 for the most probable token, above it tokens are drawn. */
  public DoubleParam temperature() {
    return temperature;
  }

  /** See {@link #temperature}. */
  public LockstepGenerator setTemperature(double value) {
    set(temperature, value);
    return this;
  }

  /** Keep the most probable tokens that sum to this, in (0, 1]. */
  public DoubleParam topP() {
    return topP;
  }

  /** See {@link #topP}. */
  public LockstepGenerator setTopP(double value) {
    set(topP, value);
    return this;
  }

  /** Keep so many most probable tokens; 0 for all. */
  public IntParam topK() {
    return topK;
  }

  /** See {@link #topK}. */
  public LockstepGenerator setTopK(int value) {
    set(topK, value);
    return this;
  }

  /** Most sweeps; 0 for as many as the longer block has tokens. */
  public IntParam steps() {
    return steps;
  }

  /** See {@link #steps}. */
  public LockstepGenerator setSteps(int value) {
    set(steps, value);
    return this;
  }

  /** Decides every random draw, with the row's id. */
  public LongParam seed() {
    return seed;
  }

  /** See {@link #seed}. */
  public LockstepGenerator setSeed(long value) {
    set(seed, value);
    return this;
  }

  @Override
  public StructType transformSchema(StructType schema) {
    requireText(schema, getOrDefault(inputCol));
    if (!getOrDefault(idCol).isEmpty()) {
      requireText(schema, getOrDefault(idCol));
    }
    // A wrong setting is told here, on the driver.
    settings().lockstep();
    StructType out = schema.add(getOrDefault(outputCol), DataTypes.StringType, true);
    String details = getOrDefault(detailsCol);
    return details.isEmpty() ? out : out.add(details, DETAILS, false);
  }

  private static void requireText(StructType schema, String column) {
    if (!schema.apply(column).dataType().equals(DataTypes.StringType)) {
      throw new IllegalArgumentException(
          "Column %s must be of type string, not %s"
              .formatted(column, schema.apply(column).dataType().simpleString()));
    }
  }

  @Override
  public Dataset<Row> transform(Dataset<?> rows) {
    StructType schema = transformSchema(rows.schema());
    return rows.toDF()
        .mapPartitions(new GeneratePartition(settings(), schema), Encoders.row(schema));
  }

  private GeneratorSettings settings() {
    return new GeneratorSettings(
        getOrDefault(inputCol),
        getOrDefault(idCol),
        new CheckpointModel(
            getOrDefault(modelUrl), getOrDefault(adapter), CheckpointModel.Download.DENIED),
        DeviceChoice.valueOf(getOrDefault(device).toUpperCase(Locale.ROOT)),
        (int) getOrDefault(batchSize),
        getOrDefault(prompt).equals(CHAT),
        getOrDefault(mode),
        (double) getOrDefault(tauR),
        (double) getOrDefault(tauA),
        (double) getOrDefault(maxFillFrac),
        (int) getOrDefault(rLength),
        (int) getOrDefault(aLength),
        getOrDefault(rOpen),
        getOrDefault(aOpen),
        getOrDefault(cache),
        (int) getOrDefault(halo),
        (double) getOrDefault(temperature),
        (double) getOrDefault(topP),
        (int) getOrDefault(topK),
        (int) getOrDefault(steps),
        (long) getOrDefault(seed));
  }

  @Override
  public LockstepGenerator copy(ParamMap extra) {
    return defaultCopy(extra);
  }

  /** Reads what {@link #save} wrote. */
  public static MLReader<LockstepGenerator> read() {
    return new DefaultParamsReader<>();
  }

  /** Reads what {@link #save} wrote. */
  public static LockstepGenerator load(String path) {
    return read().load(path);
  }
}
