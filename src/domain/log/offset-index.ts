/**
 * The two sparse indexes of a segment, in Kafka's own encoding, so that a file is loaded as it is and written by
 * slices. Offsets are relative to the segment's base. Which batches get entries is the segment's rule
 * (log-segment.ts); these only keep and find them.
 */
import { OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES } from './log-segment.ts'

/** Entries of a fixed size that grow by doubling. */
class Entries {
  readonly #entryBytes: number
  #bytes: Uint8Array
  #view: DataView
  count: number

  constructor(bytes: Uint8Array, count: number, entryBytes: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#entryBytes = entryBytes
    this.count = count
  }

  get view(): DataView {
    return this.#view
  }

  /** Room for one more entry: answers where it goes, and counts it. */
  grow(): number {
    const at = this.count * this.#entryBytes
    if (at + this.#entryBytes > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(this.#bytes.byteLength * 2, 8 * this.#entryBytes))
      larger.set(this.#bytes)
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    this.count++
    return at
  }

  bytes(from: number): Uint8Array {
    return this.#bytes.subarray(from * this.#entryBytes, this.count * this.#entryBytes)
  }

  get capacityBytes(): number {
    return this.#bytes.byteLength
  }

  /** How many entries from the first on satisfy `below`, which must hold for a prefix. */
  partition(below: (at: number) => boolean): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (below(middle * this.#entryBytes)) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** True when nothing but zeros follows: the unused part of a preallocated file. */
function onlyZeros(bytes: Uint8Array, from: number): boolean {
  const rest = bytes.subarray(from)
  const words = Math.floor(rest.byteLength / 4)
  const aligned = rest.byteOffset % 4 === 0 ? rest : rest.slice()
  // a preallocated file is 10 MB of them: word by word
  for (const word of new Int32Array(aligned.buffer, aligned.byteOffset, words)) if (word !== 0) return false
  return aligned.subarray(words * 4).every((byte) => byte === 0)
}

/** `<base>.index`: the last offset of a batch and the position where that batch begins. */
export class OffsetIndex {
  readonly #entries: Entries

  constructor(bytes: Uint8Array = new Uint8Array(0), count = 0) {
    this.#entries = new Entries(bytes, count, OFFSET_ENTRY_BYTES)
  }

  /**
   * The index in the bytes of a file, which it keeps; null when they are not one (a torn entry, offsets or positions
   * that do not grow). Zeros at the end are room that was preallocated.
   */
  static parse(bytes: Uint8Array): OffsetIndex | null {
    if (bytes.byteLength % OFFSET_ENTRY_BYTES !== 0) return null
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const all = bytes.byteLength / OFFSET_ENTRY_BYTES
    let count = 0
    let offset = -1
    let position = 0
    for (; count < all; count++) {
      const nextOffset = view.getInt32(count * OFFSET_ENTRY_BYTES)
      const nextPosition = view.getInt32(count * OFFSET_ENTRY_BYTES + 4)
      if (nextOffset <= offset || nextPosition <= position) break
      offset = nextOffset
      position = nextPosition
    }
    return onlyZeros(bytes, count * OFFSET_ENTRY_BYTES) ? new OffsetIndex(bytes, count) : null
  }

  get count(): number {
    return this.#entries.count
  }

  get capacityBytes(): number {
    return this.#entries.capacityBytes
  }

  append(relativeOffset: number, position: number): void {
    const at = this.#entries.grow()
    this.#entries.view.setInt32(at, relativeOffset)
    this.#entries.view.setInt32(at + 4, position)
  }

  /** Where to begin to look for the batch that holds `relativeOffset`: at or before it; 0 = the segment's begin. */
  floorPosition(relativeOffset: number): number {
    const entries = this.#entries
    const found = entries.partition((at) => entries.view.getInt32(at) <= relativeOffset)
    return found === 0 ? 0 : entries.view.getInt32((found - 1) * OFFSET_ENTRY_BYTES + 4)
  }

  lastPosition(): number {
    return this.count === 0 ? 0 : this.#entries.view.getInt32((this.count - 1) * OFFSET_ENTRY_BYTES + 4)
  }

  lastRelativeOffset(): number {
    return this.count === 0 ? -1 : this.#entries.view.getInt32((this.count - 1) * OFFSET_ENTRY_BYTES)
  }

  /** Drops the entries of offsets at and after `relativeOffset`. */
  truncate(relativeOffset: number): void {
    const entries = this.#entries
    entries.count = entries.partition((at) => entries.view.getInt32(at) < relativeOffset)
  }

  /** The entries from number `from` on as they go into the file; valid until the next append. */
  bytes(from = 0): Uint8Array {
    return this.#entries.bytes(from)
  }
}

/** `<base>.timeindex`: the largest timestamp up to some batch, and the last offset of the batch that carries it. */
export class TimeIndex {
  readonly #entries: Entries

  constructor(bytes: Uint8Array = new Uint8Array(0), count = 0) {
    this.#entries = new Entries(bytes, count, TIME_ENTRY_BYTES)
  }

  /** As `OffsetIndex.parse`: timestamps grow, offsets do not shrink. */
  static parse(bytes: Uint8Array): TimeIndex | null {
    if (bytes.byteLength % TIME_ENTRY_BYTES !== 0) return null
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const all = bytes.byteLength / TIME_ENTRY_BYTES
    let count = 0
    let timestamp = -1n
    let offset = 0
    for (; count < all; count++) {
      const nextTimestamp = view.getBigInt64(count * TIME_ENTRY_BYTES)
      const nextOffset = view.getInt32(count * TIME_ENTRY_BYTES + 8)
      if (nextTimestamp <= timestamp || nextOffset < offset) break
      // all zeros could be a record of 1970, but is preallocated room: an entry too few only costs a longer search
      if (nextTimestamp === 0n && nextOffset === 0 && onlyZeros(bytes, (count + 1) * TIME_ENTRY_BYTES)) break
      timestamp = nextTimestamp
      offset = nextOffset
    }
    return onlyZeros(bytes, count * TIME_ENTRY_BYTES) ? new TimeIndex(bytes, count) : null
  }

  get count(): number {
    return this.#entries.count
  }

  get capacityBytes(): number {
    return this.#entries.capacityBytes
  }

  append(timestamp: bigint, relativeOffset: number): void {
    const at = this.#entries.grow()
    this.#entries.view.setBigInt64(at, timestamp)
    this.#entries.view.setInt32(at + 8, relativeOffset)
  }

  /** The largest timestamp in it; -1 when it is empty. */
  lastTimestamp(): bigint {
    return this.count === 0 ? -1n : this.#entries.view.getBigInt64((this.count - 1) * TIME_ENTRY_BYTES)
  }

  lastRelativeOffset(): number {
    return this.count === 0 ? 0 : this.#entries.view.getInt32((this.count - 1) * TIME_ENTRY_BYTES + 8)
  }

  /**
   * An offset (relative) before which no record has a timestamp of at least `timestamp`; 0 = the segment's start.
   * Strictly smaller entries only, so that it holds whichever of several equal timestamps an entry names.
   */
  floorRelativeOffset(timestamp: bigint): number {
    const entries = this.#entries
    const found = entries.partition((at) => entries.view.getBigInt64(at) < timestamp)
    return found === 0 ? 0 : entries.view.getInt32((found - 1) * TIME_ENTRY_BYTES + 8)
  }

  /** Drops the entries of offsets at and after `relativeOffset`. */
  truncate(relativeOffset: number): void {
    const entries = this.#entries
    entries.count = entries.partition((at) => entries.view.getInt32(at + 8) < relativeOffset)
  }

  /** The entries from number `from` on as they go into the file; valid until the next append. */
  bytes(from = 0): Uint8Array {
    return this.#entries.bytes(from)
  }
}
