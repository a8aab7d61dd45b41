/**
 * The newest offset of each key, for compaction: open addressing over typed arrays, 24 bytes a key whatever the key's
 * length, because keys are known by a 128-bit hash only. Two keys with one hash would lose the older one's records,
 * so the hash (HalfSipHash-2-4, twice) is keyed with random numbers: nobody can choose keys that collide.
 *
 * It grows by doubling up to the memory that it was given and never beyond: `put` then says that it is full. Growing
 * moves a few keys with each `put`, because nothing else runs during one; until all are moved the smaller table is
 * there too.
 */

/** Four hash words and one offset. */
const SLOT_BYTES = 24
const HASH_WORDS = 4
const SLOTS_MIN = 1024
/** While it may still grow: beyond this load it does. */
const GROWING_LOAD = 0.7
/** Slots looked at with each `put` while it grows: all of them, long before it grows again. */
const MOVED_WITH_EACH = 8

/** Four random 32-bit numbers. */
export type HashKey = readonly [number, number, number, number]

export class OffsetMap {
  readonly #key: HashKey
  readonly #slotsMax: number
  readonly #keysMax: number
  /** The words of one key's hash. */
  readonly #hash = new Int32Array(HASH_WORDS)
  #hashes = new Int32Array(0)
  /** Offset + 1 relative to `#base`; 0 = free. Exact up to 2^53 offsets after the base. */
  #offsets = new Float64Array(0)
  #slots = 0
  /** The table before it grew, from `#moved` on not moved yet; empty unless it is growing. */
  #oldHashes = new Int32Array(0)
  #oldOffsets = new Float64Array(0)
  #moved = 0
  #base = 0n
  #size = 0
  /** Every record up to here (relative to the base) has been put in, or has no key; below 0 = none. */
  #latest = -1

  /**
   * @param bytesMax what it may take (`log.cleaner.dedupe.buffer.size`)
   * @param loadFactor which part of its slots may be used (`log.cleaner.io.buffer.load.factor`)
   */
  constructor(bytesMax: number, loadFactor: number, key: HashKey) {
    this.#key = key
    this.#slotsMax = Math.max(2, Math.floor(bytesMax / SLOT_BYTES))
    // one slot stays free, or a search for a key that is not there would not end
    this.#keysMax = Math.max(1, Math.min(Math.floor(this.#slotsMax * loadFactor), this.#slotsMax - 1))
    this.#resize(Math.min(SLOTS_MIN, this.#slotsMax))
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#size
  }

  /** Empties it; all offsets put in later are at least `base`. */
  clear(base: bigint): void {
    this.#base = base
    this.#size = 0
    this.#latest = -1
    this.#resize(Math.min(SLOTS_MIN, this.#slotsMax))
  }

  /** An offset as `put` and `hasNewer` take it: relative to the base, negative before it. */
  relative(offset: bigint): number {
    return Number(offset - this.#base)
  }

  /** The offset up to which every record has been looked at; one before the base when there is none. */
  get latestOffset(): bigint {
    return this.#base + BigInt(this.#latest)
  }

  /** Everything up to `offset` has been looked at. */
  reach(offset: bigint): void {
    const relative = this.relative(offset)
    if (relative > this.#latest) this.#latest = relative
  }

  /** Notes that the key in `bytes[from, to)` was written at `relative`, which grows. False = full, and not noted. */
  put(bytes: Uint8Array, from: number, to: number, relative: number): boolean {
    if (this.#size >= this.#keysMax) return false
    if (this.#oldOffsets.length > 0) this.#move(MOVED_WITH_EACH)
    else if (this.#size >= this.#slots * GROWING_LOAD && this.#slots < this.#slotsMax) this.#grow()
    hash(this.#key, bytes, from, to, this.#hash)
    const slot = find(this.#hashes, this.#offsets, this.#hash)
    if (this.#offsets[slot] === 0) {
      this.#hashes.set(this.#hash, slot * HASH_WORDS)
      if (this.#offsetBeforeGrowth() === 0) this.#size++
    }
    this.#offsets[slot] = relative + 1
    this.#latest = relative
    return true
  }

  /** Whether a newer offset than `relative` is known for the key in `bytes[from, to)`. */
  hasNewer(bytes: Uint8Array, from: number, to: number, relative: number): boolean {
    hash(this.#key, bytes, from, to, this.#hash)
    const slot = find(this.#hashes, this.#offsets, this.#hash)
    const known = this.#offsets[slot]! || this.#offsetBeforeGrowth()
    return known !== 0 && known - 1 > relative
  }

  /** What the table before it grew has for the hash in `#hash`; 0 = nothing, or it does not grow. */
  #offsetBeforeGrowth(): number {
    if (this.#oldOffsets.length === 0) return 0
    return this.#oldOffsets[find(this.#oldHashes, this.#oldOffsets, this.#hash)]!
  }

  #resize(slots: number): void {
    this.#oldHashes = new Int32Array(0)
    this.#oldOffsets = new Float64Array(0)
    if (this.#slots === slots) {
      this.#offsets.fill(0)
      return
    }
    this.#slots = slots
    this.#hashes = new Int32Array(slots * HASH_WORDS)
    this.#offsets = new Float64Array(slots)
  }

  #grow(): void {
    const hashes = this.#hashes
    const offsets = this.#offsets
    this.#resize(Math.min(this.#slots * 2, this.#slotsMax))
    this.#oldHashes = hashes
    this.#oldOffsets = offsets
    this.#moved = 0
  }

  /** Takes over the next `count` slots of the table before it grew, except for keys that were put since. */
  #move(count: number): void {
    const offsets = this.#oldOffsets
    const end = Math.min(this.#moved + count, offsets.length)
    for (let slot = this.#moved; slot < end; slot++) {
      if (offsets[slot] === 0) continue
      for (let i = 0; i < HASH_WORDS; i++) this.#hash[i] = this.#oldHashes[slot * HASH_WORDS + i]!
      const to = find(this.#hashes, this.#offsets, this.#hash)
      if (this.#offsets[to] !== 0) continue
      this.#hashes.set(this.#hash, to * HASH_WORDS)
      this.#offsets[to] = offsets[slot]!
    }
    this.#moved = end
    if (end < offsets.length) return
    this.#oldHashes = new Int32Array(0)
    this.#oldOffsets = new Float64Array(0)
  }
}

/** The slot of a hash, or the free one where it belongs. */
function find(hashes: Int32Array, offsets: Float64Array, wanted: Int32Array): number {
  const [a, b, c, d] = wanted as unknown as HashKey
  const slots = offsets.length
  let slot = (a >>> 0) % slots
  while (offsets[slot] !== 0) {
    const at = slot * HASH_WORDS
    if (hashes[at] === a && hashes[at + 1] === b && hashes[at + 2] === c && hashes[at + 3] === d) return slot
    slot = slot + 1 === slots ? 0 : slot + 1
  }
  return slot
}

function hash(key: HashKey, bytes: Uint8Array, from: number, to: number, out: Int32Array): void {
  halfSipHash(key[0], key[1], bytes, from, to, out, 0)
  halfSipHash(key[2], key[3], bytes, from, to, out, 2)
}

/** HalfSipHash-2-4 with 64 bits of output, written to `out[at]` and `out[at + 1]`. */
function halfSipHash(
  k0: number,
  k1: number,
  bytes: Uint8Array,
  from: number,
  to: number,
  out: Int32Array,
  at: number,
): void {
  let v0 = k0 | 0
  let v1 = k1 ^ 0xee
  let v2 = k0 ^ 0x6c796765
  let v3 = k1 ^ 0x74656462
  const whole = to - ((to - from) & 3)
  let i = from
  // 1: the words of the input; 2: the last, with its length; 3 and 4: the two words of the output
  for (let phase = i < whole ? 1 : 2; ;) {
    let word = 0
    let rounds = 2
    if (phase === 1) {
      word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
      i += 4
    } else if (phase === 2) {
      word = (to - from) << 24
      for (let shift = 0; i < to; i++, shift += 8) word |= bytes[i]! << shift
    } else {
      rounds = 4
      if (phase === 3) v2 ^= 0xee
      else v1 ^= 0xdd
    }
    v3 ^= word
    for (; rounds > 0; rounds--) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    v0 ^= word
    if (phase === 3) out[at] = v1 ^ v3
    if (phase === 4) {
      out[at + 1] = v1 ^ v3
      return
    }
    if (phase !== 1 || i >= whole) phase++
  }
}
