/**
 * A log in Kafka's files. What changes it happens one at a time, in the order of the calls; reads go on beside it and
 * see what was appended. The first I/O that fails takes the log offline: everything is refused from then on, and the
 * next start finds out what is on the disk.
 *
 * Index files are written when a segment ends and when the log is closed: a crash before makes recovery rebuild them,
 * which it does for the last segment anyway.
 */
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
import type { Timer } from '../../application/ports/timers.ts'
import type { AbortedTransaction } from '../../domain/log/aborted-transaction.ts'
import type { LeaderEpochEntry } from '../../domain/log/leader-epochs.ts'
import { RollPlan, segmentJitter, SegmentShape } from '../../domain/log/log-segment.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import type { Uuid } from '../../domain/uuid.ts'
import { formatEpochs } from './checkpoint-text.ts'
import { EPOCHS_FILE } from './file-names.ts'
import { addBatch, endTimeIndex, FileSegment } from './file-segment.ts'
import { isMissing } from './file-system.ts'
import type { LoadedLog } from './load-log.ts'
import { LogActivity } from './log-activity.ts'
import type { LogPlace } from './log-place.ts'
import { setAside, truncateSegments } from './segment-cutting.ts'
import { SegmentReader } from './segment-reader.ts'
import { collectAborted, floorSegment, sameSegments, segmentsBetween, syncSegments } from './segment-list.ts'
import { SegmentRewrite } from './segment-rewrite.ts'
import type { StorageContext } from './storage-context.ts'
import { searchMaxTimestamp, searchTimestamp } from './timestamp-search.ts'
import { replaceFile } from './whole-files.ts'

/** What a log tells the directory that it lies in. */
export interface LogKeeper {
  /** The start offset moved up into a segment: only the checkpoint file says so. */
  saveStartOffset(): Promise<void>
  /** Where the next compaction begins, as it was last saved. */
  firstDirtyOffset(): bigint | null
  saveFirstDirtyOffset(offset: bigint): Promise<void>
  /** The log is about to be cut below its recovery point. */
  saveRecoveryPoint(): Promise<void>
  /** I/O failed; told once. */
  offline(log: FilePartitionLog, error: unknown): void
}

/** Delays above it are not timers: they mean that the operating system decides. */
const FLUSH_MS_MAX = 0x7fff_ffffn

export class FilePartitionLog implements PartitionLog {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly directory: string
  readonly gather = (write: () => void): unknown => setImmediate(write)
  readonly #folder: string
  readonly #context: StorageContext
  readonly #keeper: LogKeeper
  readonly #log: LoadedLog
  readonly #reader: SegmentReader
  readonly #plan: RollPlan
  #options: LogOptions
  #shape: SegmentShape
  #start: bigint
  #end: bigint
  #recoveryPoint: bigint
  readonly #activity: LogActivity
  /** Whether the files of the active segment differ from what a clean stop leaves. */
  #changed: boolean
  #savingEpochs = false
  #flushTimer: Timer | null = null

  constructor(context: StorageContext, keeper: LogKeeper, place: LogPlace, options: LogOptions, log: LoadedLog) {
    this.topicPartition = place.partition
    this.topicId = place.topicId
    this.directory = place.directory
    this.#folder = place.folder
    this.#context = context
    this.#keeper = keeper
    this.#activity = new LogActivity(place.folder, (error) => keeper.offline(this, error))
    this.#options = options
    this.#log = log
    this.#reader = new SegmentReader(context)
    this.#shape = log.shape
    this.#start = log.start
    this.#end = log.end
    this.#recoveryPoint = log.recoveryPoint
    this.#changed = log.changed
    this.#plan = new RollPlan(log.shape, log.end)
    if (log.epochsChanged) this.#saveEpochsLater()
  }

  get #active(): FileSegment {
    return this.#log.segments.at(-1)!
  }

  /** Everything below it is on the disk. */
  get recoveryPoint(): bigint {
    return this.#recoveryPoint
  }

  /** The start offset where the first segment's name does not say it. */
  get startToSave(): bigint | null {
    return this.#start > this.#log.segments[0]!.baseOffset ? this.#start : null
  }

  range(): { readonly start: bigint; readonly end: bigint } {
    return { start: this.#start, end: this.#end }
  }

  sizeBytes(): number {
    return this.#log.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  }

  announce(batch: AnnouncedBatch, nowMs: bigint): 'same segment' | 'new segment' {
    const rolls = this.#plan.announce(batch, nowMs, this.#options, () => this.#drawJitterMs())
    return rolls ? 'new segment' : 'same segment'
  }

  append(at: bigint, batches: readonly StampedBatch[]): Promise<'appended' | 'conflict'> {
    for (const batch of batches) batch.lease?.retain()
    const appended = this.#activity.change(() => this.#append(at, batches))
    const release = () => batches.forEach((batch) => batch.lease?.release())
    appended.then(release, release)
    return appended
  }

  async #append(at: bigint, batches: readonly StampedBatch[]): Promise<'appended' | 'conflict'> {
    if (at !== this.#end) {
      this.#plan.reset(this.#shape, this.#end)
      return 'conflict'
    }
    let begin = 0
    for (let i = 0; i < batches.length; i++) {
      const rolls = batches[i]!.newSegment
      if (rolls === undefined) continue
      await this.#write(batches, begin, i)
      begin = i
      if (this.#shape.sizeBytes > 0) await this.#roll(batches[i]!.baseOffset, rolls.snapshot)
    }
    await this.#write(batches, begin, batches.length)
    const last = batches.at(-1)
    if (last === undefined) return 'appended'
    const end = last.lastOffset + 1n
    if (end - this.#recoveryPoint >= this.#options.flushMessages) {
      await this.#activity.drain()
      await this.#sync(end)
    } else this.#flushLater()
    this.#end = end
    if (this.#plan.end < end) this.#plan.reset(this.#shape, end)
    return 'appended'
  }

  /** Writes batches `from` to `to` behind the active segment as one vectored write. */
  async #write(batches: readonly StampedBatch[], from: number, to: number): Promise<void> {
    if (from === to) return
    const active = this.#active
    this.#changed = true
    const chunks: Uint8Array[] = []
    for (let i = from; i < to; i++) chunks.push(batches[i]!.bytes)
    await active.write(chunks)
    const indexes = active.pinnedIndexes ?? (await active.indexes())
    let epochsChanged = false
    for (let i = from; i < to; i++) {
      const { bytes, baseOffset, lastOffset, maxTimestamp, leaderEpoch, aborted } = batches[i]!
      if (aborted !== undefined) await active.addAborted(aborted)
      const counted = { sizeBytes: bytes.byteLength, lastOffset, maxTimestamp }
      addBatch(indexes, this.#shape, counted, this.#options.indexIntervalBytes)
      if (this.#log.epochs.assign(leaderEpoch, baseOffset)) epochsChanged = true
    }
    active.sizeBytes = this.#shape.sizeBytes
    if (epochsChanged) this.#saveEpochsLater()
  }

  /** Ends the active segment and begins the next one; the ended one goes to the disk in the background. */
  async #roll(baseOffset: bigint, snapshot: Uint8Array | null): Promise<void> {
    const ended = this.#active
    const indexes = await ended.indexes()
    endTimeIndex(indexes.time, this.#shape)
    ended.remember(this.#shape.maxTimestamp)
    const next = new FileSegment(this.#context, this.#folder, baseOffset, 0, this.#options.indexIntervalBytes)
    await next.create(this.#options.segmentIndexBytes)
    if (snapshot !== null) {
      const bases = new Set([...this.#log.segments.map((segment) => segment.baseOffset), baseOffset])
      await this.#log.snapshots.save({ offset: baseOffset, bytes: snapshot }, bases, false)
    }
    this.#log.segments.push(next)
    this.#shape = new SegmentShape({ baseOffset, jitterMs: this.#drawJitterMs() })
    this.#activity.later(async () => {
      await ended.writeIndexes(indexes, true)
      ended.unpin()
      await this.#sync(baseOffset)
    })
  }

  async read(from: bigint, limits: ReadLimits): Promise<LogSlice> {
    return await this.#reading(async () => {
      this.#assertWithin(from)
      const { segments } = this.#log
      const first = floorSegment(segments, from)
      const before = limits.before < this.#end ? limits.before : this.#end
      return await this.#reader.read(segments.slice(first), from, { ...limits, before })
    }, from)
  }

  async offsetForTimestamp(timestamp: bigint, lookup: BatchTimestampLookup): Promise<TimestampOffset | null> {
    return await this.#reading(() => searchTimestamp(this.#searched(), timestamp, lookup))
  }

  async offsetOfMaxTimestamp(lookup: BatchMaxTimestampLookup): Promise<TimestampOffset | null> {
    return await this.#reading(() => searchMaxTimestamp(this.#searched(), lookup))
  }

  #searched() {
    const activeMaxTimestamp = this.#shape.maxTimestamp
    return { segments: [...this.#log.segments], start: this.#start, end: this.#end, activeMaxTimestamp }
  }

  trim(before: bigint): Promise<void> {
    return this.#activity.change(async () => {
      if (before > this.#end) throw new RangeError(`cannot trim to ${before}: the log ends at ${this.#end}`)
      if (before <= this.#start) return
      const { segments, snapshots, epochs } = this.#log
      this.#start = before
      const kept = floorSegment(segments, before)
      // A start inside of a segment is on the disk before anything happens; one at its base is its name.
      if (segments[kept]!.baseOffset !== before) await this.#keeper.saveStartOffset()
      if (kept > 0) {
        await this.#activity.drain()
        await setAside(this.#context, segments.splice(0, kept), this.#options.fileDeleteDelayMs)
        const first = segments[0]!.baseOffset
        await snapshots.removeWhere((offset) => offset < first)
      }
      if (epochs.truncateFromStart(before)) this.#saveEpochsLater()
    })
  }

  truncate(to: bigint): Promise<void> {
    return this.#activity.change(async () => {
      this.#assertWithin(to)
      await this.#activity.gate.cut(async () => {
        await this.#activity.drain()
        this.#reader.forget()
        this.#changed = true
        if (to < this.#recoveryPoint) {
          this.#recoveryPoint = to
          await this.#keeper.saveRecoveryPoint()
        }
        if (to < this.#end) {
          const jitterMs = this.#shape.jitterMs
          this.#shape = await truncateSegments(this.#context, this.#log.segments, to, this.#options, jitterMs)
        }
        this.#end = to
        await this.#active.cutAborted(to)
        const dirty = this.#keeper.firstDirtyOffset()
        if (dirty !== null && dirty > to) await this.#keeper.saveFirstDirtyOffset(to)
        if (this.#log.epochs.truncateFromEnd(to)) {
          // saved before anything is appended: recovery could not tell the epochs of what was cut from those after it
          this.#saveEpochsLater()
          await this.#activity.drain()
        }
        await this.#log.snapshots.removeWhere((offset) => offset > to)
        this.#plan.reset(this.#shape, to)
      })
    })
  }

  segments(): readonly SegmentFacts[] {
    return [...this.#log.segments]
  }

  async largestTimestamp(baseOffset: bigint): Promise<bigint | 'conflict'> {
    return await this.#reading(async () => {
      const segment = this.#log.segments.find((known) => known.baseOffset === baseOffset)
      if (segment === undefined) return 'conflict'
      if (segment !== this.#active) return await segment.largestTimestamp()
      return this.#shape.maxTimestamp >= 0n ? this.#shape.maxTimestamp : await segment.modifiedMs()
    })
  }

  roll(at: bigint, snapshot: Uint8Array | null): Promise<'rolled' | 'conflict'> {
    this.#activity.assertUsable()
    if (this.#end !== at || this.#plan.end !== at) return Promise.resolve('conflict')
    if (this.#shape.sizeBytes === 0) return Promise.resolve('rolled')
    // now, so that what is announced next is weighed against the new segment
    this.#plan.reset(new SegmentShape({ baseOffset: at, jitterMs: this.#shape.jitterMs }), at)
    return this.#activity.change(async () => {
      if (this.#end !== at) return 'conflict'
      this.#changed = true
      await this.#roll(at, snapshot)
      await this.#activity.drain()
      // what is trimmed next must not be gone while the new segment's name is not on the disk
      await this.#context.fs.syncDirectory(this.#folder)
      return 'rolled'
    })
  }

  async replaceSegments(from: bigint, before: bigint, batches: RewrittenBatches): Promise<'replaced' | 'conflict'> {
    const activity = this.#activity
    activity.assertUsable()
    const { segments, snapshots } = this.#log
    const old = segmentsBetween(segments, from, before)
    if (old === null) return 'conflict'
    const rewrite = await SegmentRewrite.begin(this.#context, this.#folder, { from, before }, this.#options)
    return await rewrite.run(batches, () => {
      activity.assertUsable()
      return activity.change(async () => {
        if (!sameSegments(segments, old, before)) return false
        await activity.drain()
        // what is not synced yet could be synced by its name while it is renamed
        await this.#sync(before)
        await activity.gate.cut(async () => {
          const segment = await rewrite.swapIn(old, this.#options.fileDeleteDelayMs)
          segments.splice(segments.indexOf(old[0]!), old.length, segment)
          this.#reader.forget()
        })
        await snapshots.removeWhere((offset) => offset > from && old.some(({ baseOffset }) => baseOffset === offset))
        return true
      })
    })
  }

  async abortedTransactions(from: bigint, before: bigint): Promise<readonly AbortedTransaction[]> {
    return await this.#reading(() => {
      const { segments } = this.#log
      return collectAborted(segments.slice(floorSegment(segments, from)), from, before)
    })
  }

  firstDirtyOffset(): bigint | null {
    return this.#keeper.firstDirtyOffset()
  }

  async saveFirstDirtyOffset(offset: bigint): Promise<void> {
    await this.#activity.change(() => this.#keeper.saveFirstDirtyOffset(offset))
  }

  leaderEpochs(): readonly LeaderEpochEntry[] {
    return this.#log.epochs.entries
  }

  async flush(): Promise<void> {
    this.#activity.assertUsable()
    const end = this.#end
    // in the background, where nothing renames what it syncs
    this.#activity.later(() => this.#sync(end))
    await this.#activity.drain()
  }

  async loadSnapshot(atOrBelow: bigint): Promise<LogSnapshot | null> {
    return await this.#activity.change(() => this.#log.snapshots.load(atOrBelow))
  }

  async saveSnapshot(snapshot: LogSnapshot): Promise<void> {
    const bases = () => new Set(this.#log.segments.map((segment) => segment.baseOffset))
    await this.#activity.change(() => this.#log.snapshots.save(snapshot, bases(), true))
  }

  configure(options: LogOptions): void {
    this.#options = options
    this.#active.configure(options.indexIntervalBytes)
  }

  /** Writes what a clean stop writes. Answers whether all of it, and everything before, is on the disk. */
  async close(cutIndexes: boolean): Promise<boolean> {
    this.#flushTimer?.cancel()
    if (this.#activity.state !== 'open') {
      await this.#activity.settle()
      return this.#activity.state === 'closed'
    }
    try {
      await this.#activity.change(async () => {
        await this.#activity.drain()
        if (this.#changed) await this.#writeActiveIndexes(cutIndexes)
        await this.#sync(this.#end)
        this.#activity.state = 'closed'
      })
      return true
    } catch (error) {
      this.#context.logger.error('log not closed cleanly', { folder: this.#folder, error })
      return false
    } finally {
      this.#letGo()
    }
  }

  /** Not synced: an index that a power loss takes is made again from the log. */
  async #writeActiveIndexes(cut: boolean): Promise<void> {
    const active = this.#active
    const indexes = await active.indexes()
    endTimeIndex(indexes.time, this.#shape)
    await active.writeIndexes(indexes)
    if (!cut) await active.preallocateIndexes(this.#options.segmentIndexBytes, 'a')
  }

  /** Lets the files go for good; the folder is renamed by the caller once this resolves. */
  async discard(): Promise<void> {
    this.#flushTimer?.cancel()
    if (this.#activity.state === 'open') this.#activity.state = 'deleted'
    await this.#activity.settle()
    this.#letGo()
  }

  #letGo(): void {
    for (const segment of this.#log.segments) {
      this.#context.files.forget(segment.logPath)
      this.#context.indexes.forget(segment)
    }
  }

  #drawJitterMs(): bigint {
    return segmentJitter(this.#context.drawJitter(), this.#options.segmentJitterMs, this.#options.segmentMs)
  }

  /** Brings everything below `end`, which is written, to the disk: only what is not there yet. */
  async #sync(end: bigint): Promise<void> {
    if (end <= this.#recoveryPoint) return
    await syncSegments(this.#context, this.#folder, this.#log.segments, this.#recoveryPoint, end)
    if (end > this.#recoveryPoint) this.#recoveryPoint = end
  }

  #flushLater(): void {
    if (this.#flushTimer !== null || this.#options.flushMs > FLUSH_MS_MAX) return
    this.#flushTimer = this.#context.timers.after(Number(this.#options.flushMs), () => {
      this.#flushTimer = null
      if (this.#activity.state === 'open') this.#activity.later(() => this.#sync(this.#end))
    })
  }

  #saveEpochsLater(): void {
    if (this.#savingEpochs) return
    this.#savingEpochs = true
    this.#activity.later(async () => {
      this.#savingEpochs = false
      await replaceFile(this.#context.fs, this.#folder, EPOCHS_FILE, formatEpochs(this.#log.epochs.entries))
    })
  }

  #reading<T>(work: () => Promise<T>, from: bigint | null = null): Promise<T> {
    return this.#activity.gate.read(async () => {
      this.#activity.assertUsable()
      const start = this.#start
      try {
        return await work()
      } catch (error) {
        if (error instanceof RangeError) throw error
        this.#activity.assertUsable()
        // a file may be trimmed away between our look at the segments and our open
        if (isMissing(error) && start < this.#start) {
          if (from === null) return await this.#reading(work)
          throw new RangeError(`offset ${from} is below ${this.#start}`, { cause: error })
        }
        throw this.#activity.failed(error)
      }
    })
  }

  #assertWithin(offset: bigint): void {
    if (offset < this.#start || offset > this.#end) {
      throw new RangeError(`offset ${offset} is outside of the log, ${this.#start} to ${this.#end}`)
    }
  }
}
