/**
 * The newest offset of each key, for compaction: open addressing over typed arrays, 24 bytes a key whatever the key's
 * length, because keys are known by a 128-bit hash only. Two keys with one hash would lose the older one's records,
 * so the hash (HalfSipHash-2-4, twice) is keyed with random numbers: nobody can choose keys that collide.
 *
 * It grows by doubling up to the memory that it was given and never beyond: `put` then says that it is full. Growing
 * moves a few keys with each `put`, because nothing else runs during one; until all are moved the smaller table is
 * there too.
 */

/** Four hash words, and one offset + 1 as a double: relative to the base, exact up to 2^53; 0 = the slot is free. */
const SLOT_BYTES = 24
const SLOT_WORDS = 6
const HASH_WORDS = 4
const SLOT_DOUBLES = 3
const AT_OFFSET = 2
const SLOTS_MIN = 1024
/** While it may still grow: beyond this load it does. */
const GROWING_LOAD = 0.7
/**
 * Slots looked at with each `put` while it grows: all of them before it grows again. No more, because each of them
 * touches memory that the process never used, and that costs more than all the rest.
 */
const MOVED_WITH_EACH = 2

/** Four random 32-bit numbers. */
export type HashKey = readonly [number, number, number, number]

/** Slots in one piece of memory: a look at one touches one place. */
class Table {
  readonly slots: number
  readonly words: Int32Array
  readonly doubles: Float64Array

  constructor(slots: number) {
    const memory = new ArrayBuffer(slots * SLOT_BYTES)
    this.slots = slots
    this.words = new Int32Array(memory)
    this.doubles = new Float64Array(memory)
  }

  /** The slot of a hash, or the free one where it belongs. */
  find(wanted: Int32Array): number {
    const { words, doubles, slots } = this
    const [a, b, c, d] = wanted as unknown as HashKey
    let slot = (a >>> 0) % slots
    while (doubles[slot * SLOT_DOUBLES + AT_OFFSET] !== 0) {
      const at = slot * SLOT_WORDS
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return slot
      slot = slot + 1 === slots ? 0 : slot + 1
    }
    return slot
  }

  /** What a slot holds; 0 = it is free. */
  get(slot: number): number {
    return this.doubles[slot * SLOT_DOUBLES + AT_OFFSET]!
  }

  set(slot: number, hash: Int32Array, value: number): void {
    for (let i = 0; i < HASH_WORDS; i++) this.words[slot * SLOT_WORDS + i] = hash[i]!
    this.doubles[slot * SLOT_DOUBLES + AT_OFFSET] = value
  }

  hashAt(slot: number, hash: Int32Array): void {
    for (let i = 0; i < HASH_WORDS; i++) hash[i] = this.words[slot * SLOT_WORDS + i]!
  }
}

export class OffsetMap {
  readonly #key: HashKey
  readonly #slotsMax: number
  readonly #keysMax: number
  /** The words of one key's hash. */
  readonly #hash = new Int32Array(HASH_WORDS)
  #table: Table
  /** The table before it grew, from `#moved` on not moved yet; null unless it is growing. */
  #old: Table | null = null
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
    this.#table = new Table(Math.min(SLOTS_MIN, this.#slotsMax))
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
    this.#old = null
    this.#table = new Table(Math.min(SLOTS_MIN, this.#slotsMax))
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
    if (this.#old !== null) this.#move(this.#old)
    else if (this.#size >= this.#table.slots * GROWING_LOAD && this.#table.slots < this.#slotsMax) this.#grow()
    hash(this.#key, bytes, from, to, this.#hash)
    const table = this.#table
    const slot = table.find(this.#hash)
    if (table.get(slot) === 0 && this.#beforeGrowth() === 0) this.#size++
    table.set(slot, this.#hash, relative + 1)
    this.#latest = relative
    return true
  }

  /** Whether a newer offset than `relative` is known for the key in `bytes[from, to)`. */
  hasNewer(bytes: Uint8Array, from: number, to: number, relative: number): boolean {
    hash(this.#key, bytes, from, to, this.#hash)
    const known = this.#table.get(this.#table.find(this.#hash)) || this.#beforeGrowth()
    return known !== 0 && known - 1 > relative
  }

  /** What the table before it grew has for the hash in `#hash`; 0 = nothing, or it does not grow. */
  #beforeGrowth(): number {
    return this.#old === null ? 0 : this.#old.get(this.#old.find(this.#hash))
  }

  #grow(): void {
    this.#old = this.#table
    this.#moved = 0
    this.#table = new Table(Math.min(this.#table.slots * 2, this.#slotsMax))
  }

  /** Takes over the next slots of the table before it grew, except for keys that were put since. */
  #move(old: Table): void {
    const end = Math.min(this.#moved + MOVED_WITH_EACH, old.slots)
    for (let slot = this.#moved; slot < end; slot++) {
      const value = old.get(slot)
      if (value === 0) continue
      old.hashAt(slot, this.#hash)
      const to = this.#table.find(this.#hash)
      if (this.#table.get(to) === 0) this.#table.set(to, this.#hash, value)
    }
    this.#moved = end
    if (end === old.slots) this.#old = null
  }
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
