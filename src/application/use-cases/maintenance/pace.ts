/**
 * How fast work in the background may go: pauses that end at once when it is told to stop, and a limit on bytes a
 * second.
 */
import type { Clock } from '../../ports/clock.ts'
import type { Timer, Timers } from '../../ports/timers.ts'

/** What was not used of the limit for so long is lost: no burst makes up for a rest. */
const WINDOW_MS = 1000
/**
 * So long it goes on before it rests for a timer's turn. It reads in small steps and lets others in at each of them;
 * the rest is for what they could not finish meanwhile.
 */
const TURN_MS = 5

export class Pace {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #bytesPerSecond: () => number
  readonly #pauses = new Map<Timer, () => void>()
  #stopped = false
  #windowMs = 0
  #bytes = 0
  #turnMs = 0

  constructor(clock: Clock, timers: Timers, bytesPerSecond: () => number) {
    this.#clock = clock
    this.#timers = timers
    this.#bytesPerSecond = bytesPerSecond
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Ends all pauses, now and from now on. */
  stop(): void {
    this.#stopped = true
    for (const [timer, resume] of this.#pauses) {
      timer.cancel()
      resume()
    }
    this.#pauses.clear()
  }

  pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#timers.after(ms, () => {
        this.#pauses.delete(timer)
        resolve()
      })
      this.#pauses.set(timer, resolve)
    })
  }

  /** A stretch of work begins. */
  begin(): void {
    this.#turnMs = this.#clock.monotonicMs()
  }

  /** To be awaited after `bytes` were read or written. */
  async spent(bytes: number): Promise<void> {
    const rate = this.#bytesPerSecond()
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#windowMs > WINDOW_MS) {
      this.#windowMs = nowMs
      this.#bytes = 0
    }
    this.#bytes += bytes
    const waitMs = (this.#bytes / rate) * 1000 - (nowMs - this.#windowMs)
    const turnOver = nowMs - this.#turnMs > TURN_MS
    if (waitMs < 1 && !turnOver) return
    await this.pause(Math.max(0, waitMs))
    this.begin()
  }
}
