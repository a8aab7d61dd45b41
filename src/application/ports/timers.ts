/** A timer that is under way. Cancelling one that has fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void
}

/** Runs something later. A pending timer never keeps the process alive. */
export interface Timers {
  /** Calls `run` once, `delayMs` milliseconds from now (0 = as soon as the current work has returned). */
  after(delayMs: number, run: () => void): Timer
}
