/**
 * A log in memory. It keeps batches in the frames they came in wherever that wastes nothing, reads without copying,
 * and frees memory as soon as `trim` passes it. It does not bound itself: retention does, as on a disk.
 */
import type { Lease } from '../../application/ports/lease.ts'
import type {
  AnnouncedBatch,
  BatchMaxTimestampLookup,
  BatchTimestampLookup,
  LogOptions,
  LogSlice,
  LogSnapshot,
  PartitionLog,
  ReadLimits,
  RewrittenBatches,
  SegmentFacts,
  StampedBatch,
  TimestampOffset,
} from '../../application/ports/log-store.ts'
import { StorageError } from '../../application/ports/log-store.ts'
import { type AbortedTransaction, firstAbortedFrom } from '../../domain/log/aborted-transaction.ts'
import type { LeaderEpochEntry } from '../../domain/log/leader-epochs.ts'
import { LeaderEpochs } from '../../domain/log/leader-epochs.ts'
import { RollPlan } from '../../domain/log/log-segment.ts'
import { RecordBatchView } from '../../domain/log/record-batch.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import type { Uuid } from '../../domain/uuid.ts'
import { firstPast, MemorySegment } from './memory-segment.ts'

export class MemoryPartitionLog implements PartitionLog {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly directory = ''
  /** Memory does not outlive its process. */
  readonly unsoundFrom = null
  readonly #drawJitterMs: (options: LogOptions) => bigint
  #options: LogOptions
  #state: 'open' | 'closed' | 'deleted' = 'open'
  #segments: MemorySegment[]
  #start = 0n
  #end = 0n
  readonly #plan: RollPlan
  readonly #epochs = new LeaderEpochs()
  #snapshots: LogSnapshot[] = []
  /** By the offset of their markers. */
  #aborted: AbortedTransaction[] = []
  #firstDirty: bigint | null = null

  constructor(partition: TopicPartition, options: LogOptions, drawJitterMs: (options: LogOptions) => bigint) {
    this.topicPartition = partition
    this.topicId = options.topicId
    this.#options = options
    this.#drawJitterMs = drawJitterMs
    this.#segments = [new MemorySegment(0n, drawJitterMs(options))]
    this.#plan = new RollPlan(this.#active.shape, 0n)
  }

  get #active(): MemorySegment {
    return this.#segments.at(-1)!
  }

  range(): { readonly start: bigint; readonly end: bigint } {
    return { start: this.#start, end: this.#end }
  }

  sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  }

  announce(batch: AnnouncedBatch, nowMs: bigint): 'same segment' | 'new segment' {
    const options = this.#options
    const rolls = this.#plan.announce(batch, nowMs, options, () => this.#drawJitterMs(options))
    return rolls ? 'new segment' : 'same segment'
  }

  append(at: bigint, batches: readonly StampedBatch[]): Promise<'appended' | 'conflict'> {
    return this.#guarded(() => {
      if (at !== this.#end) {
        this.#plan.reset(this.#active.shape, this.#end)
        return 'conflict'
      }
      for (const batch of batches) {
        if (batch.newSegment !== undefined && this.#active.nextOffset > this.#active.baseOffset) {
          this.#roll(batch.baseOffset, batch.newSegment.snapshot)
        }
        this.#active.append(batch, this.#options.indexIntervalBytes)
        this.#epochs.assign(batch.leaderEpoch, batch.baseOffset)
        if (batch.aborted !== undefined) this.#aborted.push(batch.aborted)
        this.#end = batch.lastOffset + 1n
      }
      if (this.#plan.end < this.#end) this.#plan.reset(this.#active.shape, this.#end)
      return 'appended'
    })
  }

  #roll(baseOffset: bigint, snapshot: Uint8Array | null): void {
    this.#segments.push(new MemorySegment(baseOffset, this.#drawJitterMs(this.#options)))
    if (snapshot !== null) this.#keep({ offset: baseOffset, bytes: snapshot })
  }

  read(from: bigint, limits: ReadLimits): Promise<LogSlice> {
    return this.#guarded(() => {
      this.#assertWithin(from)
      const chunks: Uint8Array[] = []
      const leases: Lease[] = []
      let bytes = 0
      let nextOffset = from
      let room = limits.bytesMax
      for (let s = firstPast(this.#segments, from); s < this.#segments.length; s++) {
        const pieces = this.#segments[s]!.pieces
        for (let p = firstPast(pieces, from); p < pieces.length; p++) {
          const piece = pieces[p]!
          const part = takeBatches(piece.bytes, from, limits.before, room, limits.atLeastOne && bytes === 0)
          if (part.to > part.from) {
            chunks.push(piece.bytes.subarray(part.from, part.to))
            if (piece.lease !== null) {
              piece.lease.retain()
              leases.push(piece.lease)
            }
            bytes += part.to - part.from
            room -= part.to - part.from
            nextOffset = part.nextOffset
          }
          if (part.to < piece.bytes.byteLength) return slice(chunks, bytes, nextOffset, leases)
        }
      }
      return slice(chunks, bytes, nextOffset, leases)
    })
  }

  offsetForTimestamp(timestamp: bigint, lookup: BatchTimestampLookup): Promise<TimestampOffset | null> {
    return this.#guarded(() => {
      for (const batch of this.#batches(timestamp)) {
        const found = lookup(batch, timestamp, this.#start)
        if (found !== null) return found
      }
      return null
    })
  }

  offsetOfMaxTimestamp(lookup: BatchMaxTimestampLookup): Promise<TimestampOffset | null> {
    return this.#guarded(() => {
      let max = -1n
      for (const { pieces } of this.#segments) {
        for (const piece of pieces) {
          const reached = piece.maxTimestampFrom(this.#start)
          if (reached > max) max = reached
        }
      }
      if (max < 0n) return null
      for (const batch of this.#batches(max)) return lookup(batch)
      return null
    })
  }

  /** The batches at or after the start offset whose max timestamp is at least `timestamp`. */
  *#batches(timestamp: bigint): Generator<Uint8Array> {
    for (const { pieces } of this.#segments) {
      for (const piece of pieces) {
        if (piece.maxTimestamp < timestamp || piece.nextOffset <= this.#start) continue
        const view = new RecordBatchView(piece.bytes)
        for (; view.at < piece.bytes.byteLength; view.at += view.sizeBytes) {
          if (view.maxTimestamp < timestamp || view.lastOffset < this.#start) continue
          yield piece.bytes.subarray(view.at, view.at + view.sizeBytes)
        }
      }
    }
  }

  trim(before: bigint): Promise<void> {
    return this.#guarded(() => {
      if (before > this.#end) throw new RangeError(`cannot trim to ${before}: the log ends at ${this.#end}`)
      if (before <= this.#start) return
      this.#start = before
      const kept = Math.min(firstPast(this.#segments, before), this.#segments.length - 1)
      for (const segment of this.#segments.splice(0, kept)) segment.dropBelow(segment.nextOffset)
      this.#segments[0]!.dropBelow(before)
      this.#epochs.truncateFromStart(before)
      const first = this.#segments[0]!.baseOffset
      this.#snapshots = this.#snapshots.filter((snapshot) => snapshot.offset >= first)
      this.#aborted = this.#aborted.slice(firstAbortedFrom(this.#aborted, first))
    })
  }

  truncate(to: bigint): Promise<void> {
    return this.#guarded(() => {
      this.#assertWithin(to)
      const kept = Math.max(
        this.#segments.findLastIndex((segment) => segment.baseOffset <= to),
        0,
      )
      if (!this.#segments[kept]!.isBoundary(to)) throw new RangeError(`${to} is inside of a batch`)
      for (const segment of this.#segments.splice(kept + 1)) segment.dropBelow(segment.nextOffset)
      this.#active.truncate(to, this.#options.indexIntervalBytes)
      this.#end = to
      this.#epochs.truncateFromEnd(to)
      this.#snapshots = this.#snapshots.filter((snapshot) => snapshot.offset <= to)
      this.#aborted = this.#aborted.slice(0, firstAbortedFrom(this.#aborted, to))
      if (this.#firstDirty !== null && this.#firstDirty > to) this.#firstDirty = to
      this.#plan.reset(this.#active.shape, to)
    })
  }

  segments(): readonly SegmentFacts[] {
    return [...this.#segments]
  }

  largestTimestamp(baseOffset: bigint): Promise<bigint | 'conflict'> {
    return this.#guarded(() => {
      const segment = this.#segments.find((known) => known.baseOffset === baseOffset)
      if (segment === undefined) return 'conflict'
      return segment.pieces.reduce((max, piece) => (piece.maxTimestamp > max ? piece.maxTimestamp : max), -1n)
    })
  }

  roll(at: bigint, snapshot: Uint8Array | null): Promise<'rolled' | 'conflict'> {
    return this.#guarded(() => {
      if (this.#end !== at || this.#plan.end !== at) return 'conflict'
      if (this.#active.nextOffset > this.#active.baseOffset) this.#roll(at, snapshot)
      this.#plan.reset(this.#active.shape, at)
      return 'rolled'
    })
  }

  async replaceSegments(from: bigint, before: bigint, batches: RewrittenBatches): Promise<'replaced' | 'conflict'> {
    const first = this.#segments.findIndex((segment) => segment.baseOffset === from)
    const end = this.#segments.findIndex((segment) => segment.baseOffset === before)
    if (from >= before) throw new RangeError(`no segments lie between ${from} and ${before}`)
    if (first < 0 || end < 0) return 'conflict'
    const old = this.#segments.slice(first, end)
    const rewritten = new MemorySegment(from, 0n)
    const aborted: AbortedTransaction[] = []
    for await (const group of batches) {
      for (const batch of group) {
        if (batch.baseOffset < rewritten.nextOffset || batch.lastOffset >= before) {
          throw new RangeError(`a batch from ${batch.baseOffset} to ${batch.lastOffset} is outside of what it replaces`)
        }
        rewritten.appendCopy(batch, this.#options.indexIntervalBytes)
        if (batch.aborted !== undefined) aborted.push(batch.aborted)
      }
    }
    return await this.#guarded(() => {
      const at = this.#segments.indexOf(old[0]!)
      if (at < 0 || old.some((segment, i) => this.#segments[at + i] !== segment)) return 'conflict'
      if (this.#segments[at + old.length]?.baseOffset !== before) return 'conflict'
      this.#segments.splice(at, old.length, rewritten)
      for (const segment of old) segment.dropBelow(segment.nextOffset)
      const others = this.#aborted.filter(({ lastOffset }) => lastOffset < from || lastOffset >= before)
      this.#aborted = [...others, ...aborted].sort((a, b) => (a.lastOffset < b.lastOffset ? -1 : 1))
      const gone = (offset: bigint) => offset > from && old.some(({ baseOffset }) => baseOffset === offset)
      this.#snapshots = this.#snapshots.filter(({ offset }) => !gone(offset))
      return 'replaced'
    })
  }

  abortedTransactions(from: bigint, before: bigint): Promise<readonly AbortedTransaction[]> {
    return this.#guarded(() =>
      this.#aborted.slice(firstAbortedFrom(this.#aborted, from)).filter(({ firstOffset }) => firstOffset < before),
    )
  }

  restoreAborted(from: bigint, aborted: readonly AbortedTransaction[]): Promise<void> {
    return this.#guarded(() => {
      this.#aborted = [...this.#aborted.slice(0, firstAbortedFrom(this.#aborted, from)), ...aborted]
    })
  }

  firstDirtyOffset(): bigint | null {
    return this.#firstDirty
  }

  saveFirstDirtyOffset(offset: bigint): Promise<void> {
    return this.#guarded(() => void (this.#firstDirty = offset))
  }

  leaderEpochs(): readonly LeaderEpochEntry[] {
    return this.#epochs.entries
  }

  flush(): Promise<void> {
    return this.#guarded(() => undefined)
  }

  loadSnapshot(atOrBelow: bigint): Promise<LogSnapshot | null> {
    return this.#guarded(() => this.#snapshots.findLast((snapshot) => snapshot.offset <= atOrBelow) ?? null)
  }

  saveSnapshot(snapshot: LogSnapshot): Promise<void> {
    return this.#guarded(() => this.#keep(snapshot))
  }

  configure(options: LogOptions): void {
    this.#options = options
  }

  /** Refuses everything until `resume`; what is stored stays. */
  suspend(): void {
    this.#state = 'closed'
  }

  resume(options: LogOptions): void {
    this.#state = 'open'
    this.#options = options
  }

  /** Frees everything for good; slices that readers hold stay valid. */
  discard(): void {
    this.#state = 'deleted'
    for (const segment of this.#segments) segment.dropBelow(segment.nextOffset)
    this.#snapshots = []
  }

  /** Keeps the snapshots at the beginnings of segments and the newest one, as Kafka's folders do. */
  #keep(snapshot: LogSnapshot): void {
    const bases = new Set(this.#segments.map((segment) => segment.baseOffset))
    const others = this.#snapshots.filter(({ offset }) => offset !== snapshot.offset && bases.has(offset))
    this.#snapshots = [...others, snapshot].sort((a, b) => (a.offset < b.offset ? -1 : 1))
  }

  #assertWithin(offset: bigint): void {
    if (offset < this.#start || offset > this.#end) {
      throw new RangeError(`offset ${offset} is outside of the log, ${this.#start} to ${this.#end}`)
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a throw must become a rejection
  async #guarded<T>(work: () => T): Promise<T> {
    if (this.#state !== 'open') {
      const { topic, partition } = this.topicPartition
      throw new StorageError(`the log of ${topic}-${partition} is ${this.#state}`)
    }
    return work()
  }
}

/**
 * Which part of a piece to hand out: from the batch that holds `from`, up to `before` and as many bytes as fit in
 * `room` (`one`: the first batch also when it does not).
 */
function takeBatches(
  bytes: Uint8Array,
  from: bigint,
  before: bigint,
  room: number,
  one: boolean,
): { readonly from: number; readonly to: number; readonly nextOffset: bigint } {
  const view = new RecordBatchView(bytes)
  while (view.lastOffset < from) view.at += view.sizeBytes
  const begin = view.at
  let nextOffset = from
  while (view.at < bytes.byteLength && view.baseOffset < before) {
    const size = view.sizeBytes
    if (view.at + size - begin > room && !(one && view.at === begin)) break
    nextOffset = view.lastOffset + 1n
    view.at += size
  }
  return { from: begin, to: view.at, nextOffset }
}

function slice(chunks: Uint8Array[], bytes: number, nextOffset: bigint, leases: Lease[]): LogSlice {
  const release = () => {
    for (const lease of leases) lease.release()
    leases.length = 0
  }
  return { chunks, bytes, nextOffset, release }
}
