/** Time as an input: the only clock that domain and application see. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump when the machine's clock is set. Record timestamps come from here. */
  nowMs(): bigint
  /** Milliseconds from an arbitrary start, never going back, with fractions. Deadlines and durations come from here. */
  monotonicMs(): number
}
