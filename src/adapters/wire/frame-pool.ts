/**
 * Memory for what comes in: reference-counted frames from size classes.
 *
 * A frame is born with one reference and goes back to the pool with the last one. ONE bound holds over everything
 * that lies idle in the pool; frames in use are bounded by whoever takes them (connections, queues, caches), not
 * here. A frame whose release is forgotten is simply collected: the pool keeps no reference to frames in use.
 *
 * It does not zero memory: a frame's content is what its last user left in it.
 */
import type { Lease } from '../../application/ports/lease.ts'

const smallestClassLog2 = 13
const largestClassLog2 = 22

/** Classes are powers of two with a sixteenth on top: a request of 2^n bytes of records has its headers besides. */
const classSizes: readonly number[] = Array.from(
  { length: largestClassLog2 - smallestClassLog2 + 1 },
  (_, index) => 2 ** (smallestClassLog2 + index) * (1 + 1 / 16),
)

/** A piece of memory with its references. Its bytes may be used while at least one reference is held. */
export class Frame implements Lease {
  readonly bytes: Buffer
  readonly #home: FramePool | null
  #references = 1

  /** @param home - where the memory goes when nobody holds it any more; null = to the garbage collector. */
  constructor(bytes: Buffer, home: FramePool | null) {
    this.bytes = bytes
    this.#home = home
  }

  retain(): void {
    if (this.#references === 0) throw new Error('a frame was retained after its last release')
    this.#references += 1
  }

  release(): void {
    if (this.#references === 0) throw new Error('a frame was released more often than it was retained')
    this.#references -= 1
    if (this.#references === 0) this.#home?.recycle(this.bytes)
  }
}

export class FramePool {
  readonly #idleBytesMax: number
  readonly #idle: Buffer[][] = classSizes.map(() => [])
  #idleBytes = 0

  /** @param idleBytesMax - the bound over all memory that the pool keeps for reuse. */
  constructor(idleBytesMax: number) {
    this.#idleBytesMax = idleBytesMax
  }

  get idleBytes(): number {
    return this.#idleBytes
  }

  /** A frame with room for at least `sizeMin` bytes; exactly that many above the largest class. */
  take(sizeMin: number): Frame {
    const index = classOf(sizeMin)
    const size = classSizes[index]
    if (size === undefined) return new Frame(Buffer.allocUnsafeSlow(sizeMin), null)
    const reused = this.#idle[index]!.pop()
    if (reused === undefined) return new Frame(Buffer.allocUnsafeSlow(size), this)
    this.#idleBytes -= size
    return new Frame(reused, this)
  }

  /** Takes memory back; for `Frame` only. The most recently used comes out first, because the CPU may still hold it. */
  recycle(bytes: Buffer): void {
    const index = classOf(bytes.length)
    if (this.#idleBytes + bytes.length > this.#idleBytesMax && !this.#makeRoom(index, bytes.length)) return
    this.#idle[index]!.push(bytes)
    this.#idleBytes += bytes.length
  }

  /** Drops idle frames of other classes: what comes back now is what is in use now. */
  #makeRoom(index: number, bytes: number): boolean {
    for (let other = this.#idle.length - 1; other >= 0; other--) {
      if (other === index) continue
      const list = this.#idle[other]!
      while (list.length > 0 && this.#idleBytes + bytes > this.#idleBytesMax) this.#idleBytes -= list.pop()!.length
    }
    return this.#idleBytes + bytes <= this.#idleBytesMax
  }

  /** Gives all idle memory to the garbage collector. */
  clear(): void {
    for (const list of this.#idle) list.length = 0
    this.#idleBytes = 0
  }
}

/** The index of the smallest class with room for `size`; one past the last when there is none. */
function classOf(size: number): number {
  let index = Math.max(0, 31 - Math.clz32(Math.max(1, size - 1)) - smallestClassLog2)
  if (index < classSizes.length && classSizes[index]! < size) index += 1
  return Math.min(index, classSizes.length)
}
