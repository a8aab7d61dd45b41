/**
 * Runs what was asked for in a turn of the event loop at its end, when all input that had come was looked at: one
 * immediate for all logs of a store, because each of its own costs a round of the microtask queue.
 */
export class EndOfTurn {
  #waiting: (() => void)[] = []

  /** `work` must not throw. What it asks for itself comes at the end of the next turn. */
  run(work: () => void): void {
    if (this.#waiting.push(work) === 1) setImmediate(this.#end)
  }

  readonly #end = (): void => {
    const waiting = this.#waiting
    this.#waiting = []
    for (const work of waiting) work()
  }
}
