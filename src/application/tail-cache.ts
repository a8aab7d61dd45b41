/**
 * The newest written batches of all partitions, kept as the frames they came in, within one bound in bytes: a consumer
 * at the tail is served from the producers' memory, with no read and no copy.
 *
 * One bound over all partitions, because a bound for each adds up to gigabytes. The oldest batch of the broker leaves
 * first; since each partition adds in order, what stays of a partition is always a gapless tail of its log.
 */
import type { LogSlice, ReadLimits, StampedBatch } from './ports/log-store.ts'

/** What an entry costs beside its bytes, so that tiny batches do not hide behind the bound. */
const ENTRY_OVERHEAD_BYTES = 160

interface TailEntry {
  readonly window: TailWindow
  readonly batch: StampedBatch
  /** Its window was dropped: the lease is released already. */
  dropped: boolean
  next: TailEntry | null
}

/** The cached tail of one partition; made by `TailCache.window`, read and filled through the cache. */
export interface TailWindow {
  /** From `head` on, oldest first. */
  entries: TailEntry[]
  head: number
}

export class TailCache {
  readonly #bytesMax: number
  #bytes = 0
  #oldest: TailEntry | null = null
  #newest: TailEntry | null = null

  /** `bytesMax` = 0 keeps nothing. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  window(): TailWindow {
    return { entries: [], head: 0 }
  }

  /** Takes a written batch and its hold on `batch.lease`: the cache releases it. */
  add(window: TailWindow, batch: StampedBatch): void {
    const entry: TailEntry = { window, batch, dropped: false, next: null }
    window.entries.push(entry)
    if (this.#newest === null) this.#oldest = entry
    else this.#newest.next = entry
    this.#newest = entry
    this.#bytes += costOf(entry)
    while (this.#bytes > this.#bytesMax && this.#oldest !== null) this.#evict(this.#oldest)
  }

  #evict(entry: TailEntry): void {
    this.#oldest = entry.next
    if (this.#oldest === null) this.#newest = null
    if (entry.dropped) return
    this.#bytes -= costOf(entry)
    const window = entry.window
    window.head++
    if (window.head > 32 && window.head * 2 > window.entries.length) {
      window.entries = window.entries.slice(window.head)
      window.head = 0
    }
    entry.batch.lease?.release()
  }

  /** Forgets what a partition has: it was deleted, truncated or closed. */
  drop(window: TailWindow): void {
    for (let i = window.head; i < window.entries.length; i++) {
      const entry = window.entries[i]!
      entry.dropped = true
      this.#bytes -= costOf(entry)
      entry.batch.lease?.release()
    }
    window.entries = []
    window.head = 0
    while (this.#oldest?.dropped === true) this.#evict(this.#oldest)
  }

  /** The batches from the one that holds `from` on, or null when that one is not in memory. */
  read(window: TailWindow, from: bigint, limits: ReadLimits): LogSlice | null {
    const entries = window.entries
    let low = window.head
    if (low >= entries.length || from < entries[low]!.batch.baseOffset) return null
    let high = entries.length - 1
    if (from > entries[high]!.batch.lastOffset) return null
    while (low < high) {
      const middle = (low + high) >>> 1
      if (entries[middle]!.batch.lastOffset < from) low = middle + 1
      else high = middle
    }
    const slice = new TailSlice(from)
    for (; low < entries.length; low++) {
      const batch = entries[low]!.batch
      if (batch.baseOffset >= limits.before) break
      const fits = slice.bytes + batch.bytes.length <= limits.bytesMax
      if (!fits && !(slice.chunks.length === 0 && limits.atLeastOne)) break
      slice.add(batch)
    }
    return slice
  }
}

function costOf(entry: TailEntry): number {
  return entry.batch.bytes.length + ENTRY_OVERHEAD_BYTES
}

/** Batches from the cache, each with its own hold. */
class TailSlice implements LogSlice {
  readonly chunks: Uint8Array[] = []
  readonly #held: StampedBatch[] = []
  bytes = 0
  nextOffset: bigint

  constructor(from: bigint) {
    this.nextOffset = from
  }

  add(batch: StampedBatch): void {
    if (batch.lease !== undefined) {
      batch.lease.retain()
      this.#held.push(batch)
    }
    this.chunks.push(batch.bytes)
    this.bytes += batch.bytes.length
    this.nextOffset = batch.lastOffset + 1n
  }

  release(): void {
    for (const batch of this.#held) batch.lease?.release()
    this.#held.length = 0
  }
}
