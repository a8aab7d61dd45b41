/**
 * Which closed segments have their indexes in memory, within one bound of bytes over all logs; the one least recently
 * used lets go first. Active segments are not in it: theirs are needed and small.
 */
export interface IndexHolder {
  dropIndexes(): void
}

export class IndexCache {
  readonly #bytesMax: number
  readonly #holders = new Map<IndexHolder, number>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Notes that the holder has (and just used) indexes of `bytes`. */
  touch(holder: IndexHolder, bytes: number): void {
    this.forget(holder)
    this.#holders.set(holder, bytes)
    this.#bytes += bytes
    for (const [oldest] of this.#holders) {
      if (this.#bytes <= this.#bytesMax || oldest === holder) return
      this.forget(oldest)
      oldest.dropIndexes()
    }
  }

  forget(holder: IndexHolder): void {
    const bytes = this.#holders.get(holder)
    if (bytes === undefined) return
    this.#holders.delete(holder)
    this.#bytes -= bytes
  }
}
