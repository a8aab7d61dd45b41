/**
 * Memory for reads, by size classes four to each doubling, so that at most a fifth of a buffer is unused. What comes
 * back is kept up to one bound over all classes; the rest is left to the garbage collector.
 */
const CLASS_BYTES_MIN = 4096
const CLASS_BYTES_MAX = 8 * 1024 * 1024

/** The capacity of the buffer that serves a request of `bytes`. */
function classBytes(bytes: number): number {
  if (bytes <= CLASS_BYTES_MIN) return CLASS_BYTES_MIN
  if (bytes > CLASS_BYTES_MAX) return bytes
  const step = 2 ** (29 - Math.clz32(bytes - 1))
  return Math.ceil(bytes / step) * step
}

export class BufferPool {
  readonly #keptBytesMax: number
  readonly #kept = new Map<number, Uint8Array[]>()
  #keptBytes = 0

  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax
  }

  /** A buffer of at least `bytes`, with anything in it. */
  take(bytes: number): Uint8Array {
    const size = classBytes(bytes)
    const kept = this.#kept.get(size)?.pop()
    if (kept === undefined) return Buffer.allocUnsafeSlow(size)
    this.#keptBytes -= size
    return kept
  }

  /** Takes a buffer back that `take` gave and nobody reads any more. */
  give(buffer: Uint8Array): void {
    const size = buffer.byteLength
    if (size > CLASS_BYTES_MAX || this.#keptBytes + size > this.#keptBytesMax) return
    const kept = this.#kept.get(size)
    if (kept === undefined) this.#kept.set(size, [buffer])
    else kept.push(buffer)
    this.#keptBytes += size
  }

  clear(): void {
    this.#kept.clear()
    this.#keptBytes = 0
  }
}
