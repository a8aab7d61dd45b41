/**
 * The bound over the bytes of all requests under way on all connections of one server
 * (`queued.max.request.bytes`, KIP-72).
 *
 * It only ever delays pipelining: a connection without a request under way takes its next one regardless, so that
 * clients which hold requests back cannot starve others.
 */
import process from 'node:process'

export class RequestBudget {
  readonly #bytesMax: number
  #bytes = 0
  readonly #waiting = new Set<() => void>()
  #serving = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get exhausted(): boolean {
    return this.#bytes >= this.#bytesMax
  }

  take(bytes: number): void {
    this.#bytes += bytes
  }

  give(bytes: number): void {
    this.#bytes -= bytes
    if (this.#waiting.size === 0 || this.#serving || this.exhausted) return
    this.#serving = true
    // Not at once: whoever gives is in the middle of its own work.
    process.nextTick(() => {
      this.#serving = false
      this.#serve()
    })
  }

  /** Calls `wake` once, when there is room again; registering the same function twice counts once. */
  whenAvailable(wake: () => void): void {
    this.#waiting.add(wake)
  }

  forget(wake: () => void): void {
    this.#waiting.delete(wake)
  }

  /** First come, first served, as long as there is room: each one called may take some, or wait again. */
  #serve(): void {
    for (const wake of [...this.#waiting]) {
      if (this.exhausted) return
      this.#waiting.delete(wake)
      wake()
    }
  }
}
