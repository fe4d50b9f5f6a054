package ai.lockstep.datasets;

/** How a task is put before a model. */
public enum PromptStyle {
  /** As the content of one user turn, for models tuned to follow instructions. */
  CHAT,
  /** As the task's prompt stands, for models that continue text. */
  RAW
}
