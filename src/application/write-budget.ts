/**
 * How much may wait to be written, over all partitions together. Past the bound new work waits its turn: first come,
 * first served, so that requests of one connection keep their order.
 */
export class WriteBudget {
  readonly #bytesMax: () => number
  #bytes = 0
  readonly #waiting: (() => void)[] = []

  constructor(bytesMax: () => number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes that were taken and not given back. */
  get bytes(): number {
    return this.#bytes
  }

  /** Runs `work` now, or when enough is written and everything that waited before it has run. */
  admit(work: () => void): void {
    if (this.#waiting.length === 0 && this.#bytes < this.#bytesMax()) work()
    else this.#waiting.push(work)
  }

  take(bytes: number): void {
    this.#bytes += bytes
  }

  give(bytes: number): void {
    this.#bytes -= bytes
    while (this.#waiting.length > 0 && this.#bytes < this.#bytesMax()) this.#waiting.shift()!()
  }
}
