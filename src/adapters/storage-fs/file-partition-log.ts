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
  StampedBatch,
  TimestampOffset,
} from '../../application/ports/log-store.ts'
import { StorageError } from '../../application/ports/log-store.ts'
import { ReportedStorageError } from '../../application/ports/reported-storage-error.ts'
import type { Timer } from '../../application/ports/timers.ts'
import type { LeaderEpochEntry } from '../../domain/log/leader-epochs.ts'
import { RollPlan, segmentJitter, SegmentShape } from '../../domain/log/log-segment.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import type { Uuid } from '../../domain/uuid.ts'
import { formatEpochs } from './checkpoint-text.ts'
import { EPOCHS_FILE } from './file-names.ts'
import { addBatch, endTimeIndex, FileSegment } from './file-segment.ts'
import { isMissing } from './file-system.ts'
import type { LoadedLog } from './load-log.ts'
import { ReadGate } from './read-gate.ts'
import { floorSegment, setAside, truncateSegments } from './segment-cutting.ts'
import { SegmentReader } from './segment-reader.ts'
import type { StorageContext } from './storage-context.ts'
import { searchMaxTimestamp, searchTimestamp } from './timestamp-search.ts'
import { replaceFile, writeFully } from './whole-files.ts'

/** What a log tells the directory that it lies in. */
export interface LogKeeper {
  /** The start offset moved up into a segment: only the checkpoint file says so. */
  saveStartOffset(): Promise<void>
  /** The log is about to be cut below its recovery point. */
  saveRecoveryPoint(): Promise<void>
  /** I/O failed; told once. */
  offline(log: FilePartitionLog, error: unknown): void
}

export interface LogPlace {
  readonly partition: TopicPartition
  readonly topicId: Uuid
  /** The log directory. */
  readonly directory: string
  /** The partition's own folder in it. */
  readonly folder: string
}

/** Delays above it are not timers: they mean that the operating system decides. */
const FLUSH_MS_MAX = 0x7fff_ffffn

export class FilePartitionLog implements PartitionLog {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly directory: string
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
  #state: 'open' | 'closed' | 'deleted' | 'offline' = 'open'
  /** The last change that was asked for; the next one begins after it. */
  #changes: Promise<unknown> = Promise.resolve()
  /** Work that nobody waits for, until `drain`. */
  #background: Promise<void> = Promise.resolve()
  /** Whether the files of the active segment differ from what a clean stop leaves. */
  #changed: boolean
  #savingEpochs = false
  #flushTimer: Timer | null = null
  readonly #gate = new ReadGate()

  constructor(context: StorageContext, keeper: LogKeeper, place: LogPlace, options: LogOptions, log: LoadedLog) {
    this.topicPartition = place.partition
    this.topicId = place.topicId
    this.directory = place.directory
    this.#folder = place.folder
    this.#context = context
    this.#keeper = keeper
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
    return this.#change(() => this.#append(at, batches)).finally(() => {
      for (const batch of batches) batch.lease?.release()
    })
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
      await this.#drain()
      await this.#sync(end)
    } else this.#flushLater()
    this.#end = end
    if (this.#plan.end < end) this.#plan.reset(this.#shape, end)
    return 'appended'
  }

  /** Writes batches `from` to `to` behind the active segment as one vectored write. */
  async #write(batches: readonly StampedBatch[], from: number, to: number): Promise<void> {
    if (from === to) return
    const { fs, files } = this.#context
    const active = this.#active
    this.#changed = true
    const chunks: Uint8Array[] = []
    for (let i = from; i < to; i++) chunks.push(batches[i]!.bytes)
    const position = active.sizeBytes
    try {
      await files.use(active.logPath, (fd) => writeFully(fs, fd, chunks, position))
    } catch (error) {
      // best effort: without it the next start cuts the torn tail
      await files.use(active.logPath, (fd) => fs.truncate(fd, position)).catch(() => undefined)
      throw error
    }
    const indexes = await active.indexes()
    let epochsChanged = false
    for (let i = from; i < to; i++) {
      const { bytes, baseOffset, lastOffset, maxTimestamp, leaderEpoch } = batches[i]!
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
    const next = new FileSegment(this.#context, this.#folder, baseOffset, 0, this.#options.indexIntervalBytes)
    await next.create(this.#options.segmentIndexBytes)
    if (snapshot !== null) {
      const bases = new Set([...this.#log.segments.map((segment) => segment.baseOffset), baseOffset])
      await this.#log.snapshots.save({ offset: baseOffset, bytes: snapshot }, bases, false)
    }
    this.#log.segments.push(next)
    this.#shape = new SegmentShape({ baseOffset, jitterMs: this.#drawJitterMs() })
    this.#later(async () => {
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
    return this.#change(async () => {
      if (before > this.#end) throw new RangeError(`cannot trim to ${before}: the log ends at ${this.#end}`)
      if (before <= this.#start) return
      const { segments, snapshots, epochs } = this.#log
      this.#start = before
      const kept = floorSegment(segments, before)
      // A start inside of a segment is on the disk before anything happens; one at its base is its name.
      if (segments[kept]!.baseOffset !== before) await this.#keeper.saveStartOffset()
      if (kept > 0) {
        await this.#drain()
        await setAside(this.#context, segments.splice(0, kept), this.#options.fileDeleteDelayMs)
        const first = segments[0]!.baseOffset
        await snapshots.removeWhere((offset) => offset < first)
      }
      if (epochs.truncateFromStart(before)) this.#saveEpochsLater()
    })
  }

  truncate(to: bigint): Promise<void> {
    return this.#change(async () => {
      this.#assertWithin(to)
      await this.#gate.cut(async () => {
        await this.#drain()
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
        if (this.#log.epochs.truncateFromEnd(to)) {
          // saved before anything is appended: recovery could not tell the epochs of what was cut from those after it
          this.#saveEpochsLater()
          await this.#drain()
        }
        await this.#log.snapshots.removeWhere((offset) => offset > to)
        this.#plan.reset(this.#shape, to)
      })
    })
  }

  leaderEpochs(): readonly LeaderEpochEntry[] {
    return this.#log.epochs.entries
  }

  async flush(): Promise<void> {
    this.#assertUsable()
    const end = this.#end
    try {
      await this.#drain()
      await this.#sync(end)
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async loadSnapshot(atOrBelow: bigint): Promise<LogSnapshot | null> {
    return await this.#change(() => this.#log.snapshots.load(atOrBelow))
  }

  async saveSnapshot(snapshot: LogSnapshot): Promise<void> {
    const bases = () => new Set(this.#log.segments.map((segment) => segment.baseOffset))
    await this.#change(() => this.#log.snapshots.save(snapshot, bases(), true))
  }

  configure(options: LogOptions): void {
    this.#options = options
    this.#active.configure(options.indexIntervalBytes)
  }

  /** Writes what a clean stop writes. Answers whether all of it, and everything before, is on the disk. */
  async close(cutIndexes: boolean): Promise<boolean> {
    this.#flushTimer?.cancel()
    if (this.#state !== 'open') {
      await this.#background.catch(() => undefined)
      return this.#state === 'closed'
    }
    try {
      await this.#change(async () => {
        await this.#drain()
        if (this.#changed) await this.#writeActiveIndexes(cutIndexes)
        await this.#sync(this.#end)
        this.#state = 'closed'
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
    if (this.#state === 'open') this.#state = 'deleted'
    await this.#changes.catch(() => undefined)
    await this.#background.catch(() => undefined)
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
    const { fs, files } = this.#context
    if (end <= this.#recoveryPoint) return
    const { segments } = this.#log
    const reached = segments.filter((segment, i) => {
      const next = segments[i + 1]
      return segment.baseOffset < end && (next === undefined || next.baseOffset > this.#recoveryPoint)
    })
    for (const { logPath } of reached) await files.use(logPath, (fd) => fs.sync(fd))
    if (reached.length > 1 || reached[0]?.baseOffset === this.#recoveryPoint) await fs.syncDirectory(this.#folder)
    if (end > this.#recoveryPoint) this.#recoveryPoint = end
  }

  #flushLater(): void {
    if (this.#flushTimer !== null || this.#options.flushMs > FLUSH_MS_MAX) return
    this.#flushTimer = this.#context.timers.after(Number(this.#options.flushMs), () => {
      this.#flushTimer = null
      if (this.#state === 'open') this.#later(() => this.#sync(this.#end))
    })
  }

  #saveEpochsLater(): void {
    if (this.#savingEpochs) return
    this.#savingEpochs = true
    this.#later(async () => {
      this.#savingEpochs = false
      await replaceFile(this.#context.fs, this.#folder, EPOCHS_FILE, formatEpochs(this.#log.epochs.entries))
    })
  }

  /** Runs after everything else of the background; a failure takes the log offline. */
  #later(work: () => Promise<void>): void {
    this.#background = this.#background.then(async () => {
      if (this.#state === 'offline' || this.#state === 'deleted') return
      try {
        await work()
      } catch (error) {
        this.#failed(error)
      }
    })
  }

  /** Waits for the background; rejects when it took the log offline. */
  async #drain(): Promise<void> {
    await this.#background
    this.#assertUsable()
  }

  /** Runs `work` when the changes before it are done. */
  #change<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#changes.then(async () => {
      this.#assertUsable()
      try {
        return await work()
      } catch (error) {
        throw error instanceof RangeError ? error : this.#failed(error)
      }
    })
    this.#changes = result.catch(() => undefined)
    return result
  }

  #reading<T>(work: () => Promise<T>, from: bigint | null = null): Promise<T> {
    return this.#gate.read(async () => {
      this.#assertUsable()
      const start = this.#start
      try {
        return await work()
      } catch (error) {
        if (error instanceof RangeError) throw error
        this.#assertUsable()
        // a file may be trimmed away between our look at the segments and our open
        if (isMissing(error) && start < this.#start) {
          if (from === null) return await this.#reading(work)
          throw new RangeError(`offset ${from} is below ${this.#start}`, { cause: error })
        }
        throw this.#failed(error)
      }
    })
  }

  #assertWithin(offset: bigint): void {
    if (offset < this.#start || offset > this.#end) {
      throw new RangeError(`offset ${offset} is outside of the log, ${this.#start} to ${this.#end}`)
    }
  }

  #assertUsable(): void {
    if (this.#state === 'offline') throw new ReportedStorageError(`${this.#folder} is offline`)
    if (this.#state !== 'open') throw new StorageError(`${this.#folder} is ${this.#state}`)
  }

  #failed(error: unknown): StorageError {
    if (this.#state === 'open') {
      this.#state = 'offline'
      this.#keeper.offline(this, error)
    }
    if (error instanceof ReportedStorageError || this.#state !== 'offline') return asStorageError(error, this.#folder)
    return new ReportedStorageError(asStorageError(error, this.#folder).message, { cause: error })
  }
}

function asStorageError(error: unknown, folder: string): StorageError {
  return error instanceof StorageError ? error : new StorageError(`I/O on ${folder} failed`, { cause: error })
}
