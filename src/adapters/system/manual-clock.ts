/**
 * Time that moves when it is told to: a Clock and Timers in one, for tests and for embedders who test with a broker.
 * `advance` moves both clocks and runs the timers that fall due, in the order of their time.
 */
import type { Clock } from '../../application/ports/clock.ts'
import type { Timer, Timers } from '../../application/ports/timers.ts'

interface PendingTimer {
  readonly dueMs: number
  readonly run: () => void
}

export class ManualClock implements Clock, Timers {
  readonly #startMs: bigint
  #elapsedMs = 0
  /** What `setNow` added to the wall clock. */
  #shiftMs = 0n
  #timers: PendingTimer[] = []

  constructor(startMs = 1_700_000_000_000n) {
    this.#startMs = startMs
  }

  nowMs(): bigint {
    return this.#startMs + this.#shiftMs + BigInt(Math.floor(this.#elapsedMs))
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  /** How many timers are under way. */
  get pending(): number {
    return this.#timers.length
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { dueMs: this.#elapsedMs + Math.max(0, delayMs), run }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  /** Moves time on by `ms` and runs what falls due, timers that those timers start included. */
  advance(ms: number): void {
    const until = this.#elapsedMs + ms
    for (;;) {
      let next: PendingTimer | null = null
      for (const timer of this.#timers) {
        if (timer.dueMs <= until && (next === null || timer.dueMs < next.dueMs)) next = timer
      }
      if (next === null) break
      const due = next
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.#elapsedMs = Math.max(this.#elapsedMs, due.dueMs)
      due.run()
    }
    this.#elapsedMs = until
  }

  /** Sets the wall clock, as an administrator would; monotonic time and timers do not notice. */
  setNow(nowMs: bigint): void {
    this.#shiftMs += nowMs - this.nowMs()
  }
}
