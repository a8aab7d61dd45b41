/**
 * Memory for what comes in: reference-counted frames from size classes.
 *
 * A frame is born with one reference and goes back to the pool with the last one. ONE bound holds over all memory of
 * the pool, in use or idle, whatever sizes it serves (buddy-blocks.ts); frames beyond it, and those above the largest
 * class, are buffers of their own and left to the garbage collector.
 *
 * It does not zero memory: a frame's content is what its last user left in it.
 */
import type { Lease } from '../../application/ports/lease.ts'
import { BuddyBlocks } from './buddy-blocks.ts'

const smallestClassLog2 = 13
const largestClassLog2 = 22
const classes = largestClassLog2 - smallestClassLog2 + 1

/** Classes are powers of two with a sixteenth on top: a request of 2^n bytes of records has its headers besides. */
const smallestBytes = 2 ** smallestClassLog2 * (1 + 1 / 16)

/** Where memory goes when nobody holds it any more. */
interface Home {
  recycle(): void
}

/** A piece of memory with its references. Its bytes may be used while at least one reference is held. */
export class Frame implements Lease {
  readonly bytes: Buffer
  readonly #home: Home | null
  #references = 1

  /** @param home - told at the last release; null = the memory is left to the garbage collector. */
  constructor(bytes: Buffer, home: Home | null) {
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
    if (this.#references === 0) this.#home?.recycle()
  }
}

export class FramePool {
  readonly #blocks: BuddyBlocks

  /** @param bytesMax - the bound over all memory of the pool. */
  constructor(bytesMax: number) {
    this.#blocks = new BuddyBlocks({ smallestBytes, levels: classes, bytesMax })
  }

  get idleBytes(): number {
    return this.#blocks.idleBytes
  }

  /** What frames of the pool hold now. */
  get inUseBytes(): number {
    return this.#blocks.bytes - this.#blocks.idleBytes
  }

  /** A frame with room for at least `sizeMin` bytes; exactly that many above the largest class. */
  take(sizeMin: number): Frame {
    const index = classOf(sizeMin)
    if (index === classes) return new Frame(Buffer.allocUnsafeSlow(sizeMin), null)
    const block = this.#blocks.take(index)
    if (block === null) return new Frame(Buffer.allocUnsafeSlow(smallestBytes * 2 ** index), null)
    return new Frame(block.bytes, block)
  }

  /** Gives all idle memory to the garbage collector; what is in use follows when it is released. */
  clear(): void {
    this.#blocks.clear()
  }
}

/** The index of the smallest class with room for `size`; one past the last when there is none. */
function classOf(size: number): number {
  let index = Math.max(0, 31 - Math.clz32(Math.max(1, size - 1)) - smallestClassLog2)
  if (index < classes && smallestBytes * 2 ** index < size) index += 1
  return Math.min(index, classes)
}
