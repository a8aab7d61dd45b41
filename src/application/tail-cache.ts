/**
 * The newest written batches of all partitions, kept as the frames they came in, within one bound in bytes: a consumer
 * at the tail is served from the producers' memory, with no read and no copy.
 *
 * One bound over all partitions, because a bound for each adds up to gigabytes. The oldest batch of the broker leaves
 * first; since each partition adds in order, what stays of a partition is always a gapless tail of its log.
 *
 * The broker's own topics are not in it: a batch of one commit would cost more than a read of it ever saves.
 */
import type { LogSlice, ReadLimits, StampedBatch } from './ports/log-store.ts'

/** What an entry costs beside its bytes (objects, integers, its share of a frame), so that tiny batches do not hide. */
const ENTRY_OVERHEAD_BYTES = 480

/** Written batches of one partition, from `head` on, oldest first; what is before has left, and is null. */
interface TailBatches {
  readonly batches: (StampedBatch | null)[]
  head: number
  /** Its leases are released already. */
  dropped: boolean
}

/** The cached tail of one partition; made by `TailCache.window`, read and filled through the cache. */
export interface TailWindow {
  tail: TailBatches
}

export class TailCache {
  readonly #bytesMax: number
  #bytes = 0
  /** Whose turn it is to give up a batch: one entry a batch, oldest first, from `#first` on. No object for each. */
  #order: TailBatches[] = []
  #first = 0
  /** Entries in it whose batches were dropped. */
  #orphans = 0

  /** `bytesMax` = 0 keeps nothing. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  window(): TailWindow {
    return { tail: { batches: [], head: 0, dropped: false } }
  }

  /** Takes a written batch and its hold on `batch.lease`: the cache releases it. */
  add({ tail }: TailWindow, batch: StampedBatch): void {
    tail.batches.push(batch)
    this.#order.push(tail)
    this.#bytes += costOf(batch)
    while (this.#bytes > this.#bytesMax) this.#evictOldest()
  }

  #evictOldest(): void {
    const tail = this.#order[this.#first++]!
    if (tail.dropped) this.#orphans--
    else {
      const batch = tail.batches[tail.head]!
      tail.batches[tail.head++] = null
      if (isMostlyPast(tail.batches, tail.head)) {
        tail.batches.splice(0, tail.head)
        tail.head = 0
      }
      this.#bytes -= costOf(batch)
      batch.lease?.release()
    }
    if (!isMostlyPast(this.#order, this.#first)) return
    this.#order = this.#order.slice(this.#first)
    this.#first = 0
  }

  /** Forgets what a partition has: it was deleted, truncated or closed. */
  drop(window: TailWindow): void {
    const { tail } = window
    window.tail = { batches: [], head: 0, dropped: false }
    tail.dropped = true
    for (let i = tail.head; i < tail.batches.length; i++) {
      const batch = tail.batches[i]!
      this.#bytes -= costOf(batch)
      batch.lease?.release()
    }
    this.#orphans += tail.batches.length - tail.head
    tail.batches.length = 0
    // Not at once each time: a topic may have thousands of partitions.
    if (this.#orphans * 2 <= this.#order.length - this.#first) return
    this.#order = this.#order.slice(this.#first).filter(({ dropped }) => !dropped)
    this.#first = 0
    this.#orphans = 0
  }

  /** The batches from the one that holds `from` on, or null when that one is not in memory. */
  read(window: TailWindow, from: bigint, limits: ReadLimits): LogSlice | null {
    const { batches, head } = window.tail
    let low = head
    if (low >= batches.length || from < batches[low]!.baseOffset) return null
    let high = batches.length - 1
    if (from > batches[high]!.lastOffset) return null
    while (low < high) {
      const middle = (low + high) >>> 1
      if (batches[middle]!.lastOffset < from) low = middle + 1
      else high = middle
    }
    const slice = new TailSlice(from)
    for (; low < batches.length; low++) {
      const batch = batches[low]!
      if (batch.baseOffset >= limits.before) break
      const fits = slice.bytes + batch.bytes.length <= limits.bytesMax
      if (!fits && !(slice.chunks.length === 0 && limits.atLeastOne)) break
      slice.add(batch)
    }
    return slice
  }
}

/** Whether cutting off what is past costs less than it frees. */
function isMostlyPast(list: readonly unknown[], head: number): boolean {
  return head > 32 && head * 2 > list.length
}

function costOf(batch: StampedBatch): number {
  return batch.bytes.length + ENTRY_OVERHEAD_BYTES
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
