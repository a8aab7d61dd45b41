/**
 * When what a coordinator has gathered for its partitions is written (`group.coordinator.append.linger.ms`).
 *
 * - A number: so long after the first record of a batch; 0 = each decision at once.
 * - -1, adaptive: right before the next write, unless decisions are many. Each partition's write costs a hand-over to the
 *   storage, and each answer a wake-up, whatever is in it. So while decisions come in a crowd, all partitions write
 *   together, a few milliseconds apart; a lone decision, or a client that waits for each answer, never waits.
 */
import type { Timers } from './ports/timers.ts'

/** The time between two common writes, while decisions are many. */
const WINDOW_MS = 4
/** So many decisions within the last window are many. */
const CROWD = 16

export const ADAPTIVE = -1

export class AppendPace {
  readonly #timers: Timers
  readonly #lingerMs: () => number
  #decisions = 0
  #crowded = false
  #isOpen = false
  #waiting: (() => void)[] = []

  constructor(timers: Timers, lingerMs: () => number) {
    this.#timers = timers
    this.#lingerMs = lingerMs
  }

  /** Nothing is gathered: each decision is written by itself. */
  get isImmediate(): boolean {
    return this.#lingerMs() === 0
  }

  /** A decision has left records. */
  count(): void {
    this.#decisions++
    if (!this.#isOpen && this.#lingerMs() === ADAPTIVE) this.#open()
  }

  /** Calls `write` later, when it is time for a batch that begins now; false = it is to go with the next write. */
  hold(write: () => void): boolean {
    const lingerMs = this.#lingerMs()
    if (lingerMs > 0) {
      this.#timers.after(lingerMs, write)
      return true
    }
    if (!this.#crowded) return false
    this.#waiting.push(write)
    return true
  }

  #open(): void {
    this.#isOpen = true
    this.#timers.after(WINDOW_MS, () => this.#end())
  }

  #end(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#crowded = this.#decisions >= CROWD
    const isQuiet = this.#decisions === 0
    this.#decisions = 0
    this.#isOpen = false
    if (!isQuiet) this.#open()
    for (const write of waiting) write()
  }
}
