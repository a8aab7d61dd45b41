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
  LogRepairs,
  LogSlice,
  LogSnapshot,
  PartitionLog,
  ReadLimits,
  RewrittenBatches,
  SegmentFacts,
  StampedBatch,
  TimestampOffset,
} from '../../application/ports/log-store.ts'
import type { AbortedTransaction } from '../../domain/log/aborted-transaction.ts'
import type { LeaderEpochEntry } from '../../domain/log/leader-epochs.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import type { Uuid } from '../../domain/uuid.ts'
import { EpochsFile } from './epochs-file.ts'
import type { LoadedLog } from './load-log.ts'
import { LogActivity } from './log-activity.ts'
import type { LogKeeper } from './log-keeper.ts'
import type { LogPlace } from './log-place.ts'
import type { ReadableRange } from './log-reads.ts'
import { LogReads } from './log-reads.ts'
import { LogSync } from './log-sync.ts'
import { LogTail } from './log-tail.ts'
import { setAside, truncateSegments } from './segment-cutting.ts'
import { floorSegment, restoreAborted, sameSegments, segmentsBetween } from './segment-list.ts'
import { SegmentRewrite } from './segment-rewrite.ts'
import type { StorageContext } from './storage-context.ts'

export class FilePartitionLog implements PartitionLog {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly directory: string
  readonly #folder: string
  readonly #context: StorageContext
  readonly #keeper: LogKeeper
  readonly #log: LoadedLog
  readonly #reads: LogReads
  readonly #disk: LogSync
  readonly #epochs: EpochsFile
  readonly #tail: LogTail
  #start: bigint
  #unsoundFrom: bigint | null
  readonly #activity: LogActivity

  constructor(context: StorageContext, keeper: LogKeeper, place: LogPlace, options: LogOptions, log: LoadedLog) {
    this.topicPartition = place.partition
    this.topicId = place.topicId
    this.directory = place.directory
    this.#folder = place.folder
    this.#context = context
    this.#keeper = keeper
    this.#activity = new LogActivity(place.folder, (error) => keeper.offline(error))
    this.#log = log
    this.#reads = new LogReads(context, this.#activity, log.segments, () => this.#readable())
    this.#disk = new LogSync(context, place.folder, log.segments, this.#activity, log.recoveryPoint)
    this.#epochs = new EpochsFile(context.fs, place.folder, this.#activity, log.epochs)
    const parts = { activity: this.#activity, disk: this.#disk, epochs: this.#epochs }
    this.#tail = new LogTail(context, place.folder, log, parts, options)
    this.#start = log.start
    this.#unsoundFrom = log.unsoundFrom
    if (log.epochsChanged) this.#epochs.saveLater()
  }

  get repairs(): LogRepairs | null {
    return this.#log.repairs
  }

  /** Everything below it is on the disk. */
  get recoveryPoint(): bigint {
    return this.#disk.recoveryPoint
  }

  /**
   * The start offset where the first segment's name does not say it; of a failed log always, because segments that it
   * no longer counts may still lie under their names.
   */
  get startToSave(): bigint | null {
    const isSaid = this.#activity.state !== 'offline' && this.#start <= this.#log.segments[0]!.baseOffset
    return isSaid ? null : this.#start
  }

  #readable(): ReadableRange {
    return { start: this.#start, end: this.#tail.end, activeMaxTimestamp: this.#tail.shape.maxTimestamp }
  }

  range(): { readonly start: bigint; readonly end: bigint } {
    return { start: this.#start, end: this.#tail.end }
  }

  sizeBytes(): number {
    return this.#log.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  }

  announce(batch: AnnouncedBatch, nowMs: bigint): 'same segment' | 'new segment' {
    return this.#tail.announce(batch, nowMs)
  }

  append(at: bigint, batches: readonly StampedBatch[]): Promise<'appended' | 'conflict'> {
    for (const batch of batches) batch.lease?.retain()
    const appended = this.#activity.change(() => this.#tail.append(at, batches))
    const release = () => batches.forEach((batch) => batch.lease?.release())
    appended.then(release, release)
    return appended
  }

  gather(write: () => void): void {
    this.#context.endOfTurn.run(write)
  }

  appendNow(at: bigint, batches: readonly StampedBatch[]): 'appended' | null {
    if (!this.#activity.isFree) return null
    try {
      return this.#tail.appendNow(at, batches)
    } catch (error) {
      throw this.#activity.failed(error)
    }
  }

  read(from: bigint, limits: ReadLimits): Promise<LogSlice> {
    return this.#reads.read(from, limits)
  }

  offsetForTimestamp(timestamp: bigint, lookup: BatchTimestampLookup): Promise<TimestampOffset | null> {
    return this.#reads.offsetForTimestamp(timestamp, lookup)
  }

  offsetOfMaxTimestamp(lookup: BatchMaxTimestampLookup): Promise<TimestampOffset | null> {
    return this.#reads.offsetOfMaxTimestamp(lookup)
  }

  trim(before: bigint): Promise<void> {
    return this.#activity.change(async () => {
      if (before > this.#tail.end) throw new RangeError(`cannot trim to ${before}: the log ends at ${this.#tail.end}`)
      if (before <= this.#start) return
      const { segments, snapshots } = this.#log
      this.#start = before
      const kept = floorSegment(segments, before)
      // A start inside of a segment is on the disk before anything happens; one at its base is its name.
      if (segments[kept]!.baseOffset !== before) await this.#keeper.saveStartOffset()
      if (kept > 0) {
        await this.#activity.drain()
        await setAside(this.#context, segments.splice(0, kept), this.#tail.options.fileDeleteDelayMs)
        const first = segments[0]!.baseOffset
        await snapshots.removeWhere((offset) => offset < first)
      }
      if (this.#epochs.epochs.truncateFromStart(before)) this.#epochs.saveLater()
    })
  }

  truncate(to: bigint): Promise<void> {
    return this.#activity.change(async () => {
      this.#reads.assertWithin(to)
      await this.#activity.gate.cut(async () => {
        await this.#activity.drain()
        this.#reads.forget()
        this.#tail.changed = true
        if (to < this.#disk.recoveryPoint) {
          this.#disk.recoveryPoint = to
          await this.#keeper.saveRecoveryPoint()
        }
        const { shape, end, options } = this.#tail
        const cut = to < end
        this.#tail.cut(
          cut ? await truncateSegments(this.#context, this.#log.segments, to, options, shape.jitterMs) : shape,
          to,
        )
        await this.#tail.active.aborted.cut(to)
        const dirty = this.#keeper.firstDirtyOffset()
        if (dirty !== null && dirty > to) await this.#keeper.saveFirstDirtyOffset(to)
        if (this.#epochs.epochs.truncateFromEnd(to)) {
          // saved before anything is appended: recovery could not tell the epochs of what was cut from those after it
          this.#epochs.saveLater()
          await this.#activity.drain()
        }
        await this.#log.snapshots.removeWhere((offset) => offset > to)
      })
    })
  }

  segments(): readonly SegmentFacts[] {
    return [...this.#log.segments]
  }

  largestTimestamp(baseOffset: bigint): Promise<bigint | 'conflict'> {
    return this.#reads.largestTimestamp(baseOffset)
  }

  roll(at: bigint, snapshot: Uint8Array | null): Promise<'rolled' | 'conflict'> {
    this.#activity.assertUsable()
    if (!this.#tail.endsAt(at)) return Promise.resolve('conflict')
    return this.#tail.shape.sizeBytes === 0 ? Promise.resolve('rolled') : this.#tail.rollAt(at, snapshot)
  }

  async replaceSegments(from: bigint, before: bigint, batches: RewrittenBatches): Promise<'replaced' | 'conflict'> {
    const activity = this.#activity
    activity.assertUsable()
    const { segments, snapshots } = this.#log
    const old = segmentsBetween(segments, from, before)
    if (old === null) return 'conflict'
    const rewrite = await SegmentRewrite.begin(this.#context, this.#folder, { from, before }, this.#tail.options)
    return await rewrite.run(batches, () => {
      activity.assertUsable()
      return activity.change(async () => {
        if (!sameSegments(segments, old, before)) return false
        await activity.drain()
        // what is not synced yet could be synced by its name while it is renamed
        await this.#disk.to(before)
        await activity.gate.cut(async () => {
          const segment = await rewrite.swapIn(old, this.#tail.options.fileDeleteDelayMs)
          segments.splice(segments.indexOf(old[0]!), old.length, segment)
          this.#reads.forget()
        })
        await snapshots.removeWhere((offset) => offset > from && old.some(({ baseOffset }) => baseOffset === offset))
        return true
      })
    })
  }

  abortedTransactions(from: bigint, before: bigint): Promise<readonly AbortedTransaction[]> {
    return this.#reads.abortedTransactions(from, before)
  }

  get unsoundFrom(): bigint | null {
    return this.#unsoundFrom
  }

  restoreAborted(from: bigint, aborted: readonly AbortedTransaction[]): Promise<void> {
    return this.#activity.change(async () => {
      await restoreAborted(this.#context, this.#folder, this.#log.segments, from, aborted)
      if (this.#unsoundFrom !== null && from <= this.#unsoundFrom) this.#unsoundFrom = null
    })
  }

  firstDirtyOffset(): bigint | null {
    return this.#keeper.firstDirtyOffset()
  }

  async saveFirstDirtyOffset(offset: bigint): Promise<void> {
    await this.#activity.change(() => this.#keeper.saveFirstDirtyOffset(offset))
  }

  leaderEpochs(): readonly LeaderEpochEntry[] {
    return this.#epochs.epochs.entries
  }

  async flush(): Promise<void> {
    this.#activity.assertUsable()
    const end = this.#tail.end
    // in the background, where nothing renames what it syncs
    this.#activity.later(() => this.#disk.to(end))
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
    const { flushMs } = this.#tail.options
    this.#tail.options = options
    this.#tail.active.configure(options.indexIntervalBytes)
    if (options.flushMs !== flushMs && this.#activity.state === 'open') {
      this.#disk.rescheduled(options, () => this.#tail.end)
    }
  }

  /** How long its files stay when the log is deleted. */
  get fileDeleteDelayMs(): bigint {
    return this.#tail.options.fileDeleteDelayMs
  }

  /**
   * Writes what a clean stop writes. Answers whether all of it, and everything before, is on the disk: not while
   * aborted transactions are to be restored.
   */
  async close(cutIndexes: boolean): Promise<boolean> {
    this.#disk.cancel()
    if (this.#activity.state !== 'open') {
      await this.#activity.settle()
      return this.#activity.state === 'closed'
    }
    try {
      await this.#activity.change(async () => {
        await this.#activity.drain()
        if (this.#tail.changed) await this.#tail.writeIndexes(cutIndexes)
        await this.#disk.to(this.#tail.end)
        this.#activity.state = 'closed'
      })
      return this.#unsoundFrom === null
    } catch (error) {
      this.#context.logger.error('log not closed cleanly', { folder: this.#folder, error })
      return false
    } finally {
      this.#letGo()
    }
  }

  /**
   * Another log takes this one's place: `exchange` runs while nobody reads or changes this one, and afterwards it is
   * gone for good.
   */
  retire(exchange: () => Promise<void>): Promise<void> {
    return this.#activity.change(() =>
      this.#activity.gate.cut(async () => {
        this.#disk.cancel()
        await this.#activity.drain()
        await exchange()
        this.#activity.state = 'deleted'
        this.#letGo()
      }),
    )
  }

  /** The directory that it lies in cannot be used any more. */
  failed(error: unknown): void {
    this.#activity.failed(error)
  }

  /** Lets the files go for good; the folder is renamed by the caller once this resolves. */
  async discard(): Promise<void> {
    this.#disk.cancel()
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
}
