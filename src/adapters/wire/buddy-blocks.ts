/**
 * Pieces of memory in sizes that double from level to level, cut from chunks of the largest size and put together
 * again (a buddy allocator): memory that was used in one size serves the next one in another, where buffers of their
 * own would be dropped and made anew, and lie about until the garbage collector comes by.
 *
 * - ONE bound holds over all chunks, whatever is in use of them; past it `take` answers null.
 * - A block is put together with its neighbour only when a larger one is wanted: under a steady load the same blocks go
 *   round, the most recently used first, because the CPU may still hold it.
 * - What it has taken it keeps until `clear`: chunks that come and go would be garbage most of the time.
 *
 * A block that is never given back is lost to the allocator, and counts against its bound for good.
 */

export interface BuddyBlocksOptions {
  /** The size of level 0. */
  readonly smallestBytes: number
  /** How many sizes; the last one is that of a chunk. */
  readonly levels: number
  /** The bound over all chunks. */
  readonly bytesMax: number
}

interface Chunk {
  readonly number: number
  readonly bytes: Buffer
  /** Forgotten by `clear`. */
  dropped: boolean
}

/** Blocks given back, at least, between two attempts to put some together: each looks at all that are idle. */
const givenBackMin = 32

export class Block {
  readonly bytes: Buffer
  readonly level: number
  /** Which one of the blocks of this size in its chunk. */
  readonly place: number
  readonly chunk: Chunk
  readonly #owner: BuddyBlocks

  constructor(owner: BuddyBlocks, chunk: Chunk, level: number, place: number, bytes: Buffer) {
    this.#owner = owner
    this.chunk = chunk
    this.level = level
    this.place = place
    this.bytes = bytes
  }

  /** Once, by whoever took it: the bytes are not the caller's any more. */
  recycle(): void {
    this.#owner.giveBack(this)
  }
}

export class BuddyBlocks {
  readonly #options: BuddyBlocksOptions
  readonly #chunkBytes: number
  /** Idle blocks by level. */
  readonly #idle: Block[][]
  readonly #chunks = new Set<Chunk>()
  #idleBytes = 0
  #chunksMade = 0
  #givenBack = 0

  constructor(options: BuddyBlocksOptions) {
    this.#options = options
    this.#chunkBytes = options.smallestBytes * 2 ** (options.levels - 1)
    this.#idle = Array.from({ length: options.levels }, () => [])
  }

  get idleBytes(): number {
    return this.#idleBytes
  }

  /** All chunks together. */
  get bytes(): number {
    return this.#chunks.size * this.#chunkBytes
  }

  /** A block of this level; null when the bound leaves none. */
  take(level: number): Block | null {
    const block = this.#idle[level]!.pop() ?? this.#cut(level) ?? this.#make(level)
    if (block !== null) this.#idleBytes -= block.bytes.length
    return block
  }

  /** For `Block` only. */
  giveBack(block: Block): void {
    if (block.chunk.dropped) return
    this.#givenBack++
    this.#idle[block.level]!.push(block)
    this.#idleBytes += block.bytes.length
  }

  /** Forgets everything: what is in use then goes to the garbage collector when it is given back. */
  clear(): void {
    for (const chunk of this.#chunks) chunk.dropped = true
    this.#chunks.clear()
    for (const list of this.#idle) list.length = 0
    this.#idleBytes = 0
  }

  /** From the next larger idle block. */
  #cut(level: number): Block | null {
    for (let larger = level + 1; larger < this.#idle.length; larger++) {
      let block = this.#idle[larger]!.pop()
      if (block === undefined) continue
      while (block.level > level) block = this.#halve(block)
      return block
    }
    return null
  }

  /** The first half; the second one becomes idle. */
  #halve(block: Block): Block {
    const level = block.level - 1
    const size = block.bytes.length / 2
    const half = (which: 0 | 1) =>
      new Block(
        this,
        block.chunk,
        level,
        block.place * 2 + which,
        block.bytes.subarray(which * size, which * size + size),
      )
    this.#idle[level]!.push(half(1))
    return half(0)
  }

  /** From smaller idle blocks or, where they do not fit together, from a new chunk. */
  #make(level: number): Block | null {
    const size = this.#options.smallestBytes * 2 ** level
    if (this.#idleBytes >= size && this.#givenBack >= givenBackMin) {
      this.#putTogether()
      const block = this.#idle[level]!.pop() ?? this.#cut(level)
      if (block !== null) return block
    }
    if (this.bytes + this.#chunkBytes > this.#options.bytesMax) return null
    const bytes = Buffer.allocUnsafeSlow(this.#chunkBytes)
    const chunk: Chunk = { number: this.#chunksMade++, bytes, dropped: false }
    this.#chunks.add(chunk)
    this.#idleBytes += this.#chunkBytes
    this.#idle[this.#idle.length - 1]!.push(new Block(this, chunk, this.#idle.length - 1, 0, bytes))
    return this.#idle[level]!.pop() ?? this.#cut(level)
  }

  #putTogether(): void {
    this.#givenBack = 0
    const placesMax = 2 ** this.#idle.length
    for (let level = 0; level + 1 < this.#idle.length; level++) {
      const alone = new Map<number, Block>()
      for (const block of this.#idle[level]!) {
        const { chunk, place } = block
        const pair = chunk.number * placesMax + (place >> 1)
        if (!alone.delete(pair)) alone.set(pair, block)
        else this.#idle[level + 1]!.push(this.#whole(chunk, level + 1, place >> 1))
      }
      this.#idle[level] = [...alone.values()]
    }
  }

  #whole(chunk: Chunk, level: number, place: number): Block {
    const size = this.#options.smallestBytes * 2 ** level
    return new Block(this, chunk, level, place, chunk.bytes.subarray(place * size, place * size + size))
  }
}
