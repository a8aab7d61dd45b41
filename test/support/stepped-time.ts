/** Time that stands still until a test moves it; timers fire in order while it moves. */
import type { Clock } from '../../src/application/ports/clock.ts'
import type { Timer, Timers } from '../../src/application/ports/timers.ts'

interface Pending {
  readonly atMs: number
  readonly run: () => void
}

export class SteppedTime implements Clock, Timers {
  #nowMs = 0
  readonly #pending = new Set<Pending>()

  /** How many timers are set. */
  get timers(): number {
    return this.#pending.size
  }

  nowMs(): bigint {
    return BigInt(this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): Timer {
    const pending = { atMs: this.#nowMs + delayMs, run }
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  /** Moves on by `ms`, firing what is due on the way. */
  step(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const due = [...this.#pending].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      this.#pending.delete(due)
      due.run()
    }
    this.#nowMs = untilMs
  }
}

/** Lets everything that is ready run, without any time passing. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}
