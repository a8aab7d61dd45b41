/**
 * Which writes block the process instead of going to the thread pool: small ones, while the disk takes them at once.
 *
 * A write of some kilobytes into the page cache takes a few microseconds, and its way to the pool and back several
 * times as long. Only when the kernel has no memory left for what is not on the disk yet does it make a writer wait; a
 * write that was slow sends those behind it to the pool for a hundred times as long, so that at most a hundredth of the
 * time is spent in waiting, whatever the disk is.
 */

/** From here on the copying takes longer than the way to the pool. */
const SMALL_BYTES = 16_384
/** A write that took longer has waited for something. */
const SLOW_MS = 1
const REST_FACTOR = 100

export class SmallWrites {
  readonly #monotonicMs: () => number
  #notBefore = -Infinity

  /** @param monotonicMs a clock that is never set back */
  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
  }

  /** Runs a blocking write of the chunks if they are small and the disk is quick; null = it was not run. */
  run(chunks: readonly Uint8Array[], write: () => number): number | null {
    let bytes = 0
    for (const chunk of chunks) bytes += chunk.byteLength
    if (bytes > SMALL_BYTES) return null
    const began = this.#monotonicMs()
    if (began < this.#notBefore) return null
    try {
      return write()
    } finally {
      const ended = this.#monotonicMs()
      if (ended - began > SLOW_MS) this.#notBefore = ended + REST_FACTOR * (ended - began)
    }
  }
}
