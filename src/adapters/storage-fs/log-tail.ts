/**
 * The growing end of one log: announces and appends batches, and begins new segments. Its owner calls one change at a
 * time and decides what is cut.
 */
import type { AnnouncedBatch, LogOptions, StampedBatch } from '../../application/ports/log-store.ts'
import { RollPlan, segmentJitter, SegmentShape } from '../../domain/log/log-segment.ts'
import type { EpochsFile } from './epochs-file.ts'
import { FileSegment } from './file-segment.ts'
import type { LoadedLog } from './load-log.ts'
import type { LogActivity } from './log-activity.ts'
import type { LogSync } from './log-sync.ts'
import { addBatch, endTimeIndex, type SegmentIndexes } from './segment-indexes.ts'
import type { StorageContext } from './storage-context.ts'

/** The other parts of the log. */
export interface TailParts {
  readonly activity: LogActivity
  readonly disk: LogSync
  readonly epochs: EpochsFile
}

export class LogTail {
  options: LogOptions
  /** Written, and so readable. */
  end: bigint
  /** Of the active segment. */
  shape: SegmentShape
  /** Whether the files of the active segment differ from what a clean stop leaves. */
  changed: boolean
  readonly #context: StorageContext
  readonly #folder: string
  readonly #log: LoadedLog
  readonly #activity: LogActivity
  readonly #disk: LogSync
  readonly #epochs: EpochsFile
  readonly #plan: RollPlan

  constructor(context: StorageContext, folder: string, log: LoadedLog, parts: TailParts, options: LogOptions) {
    this.#context = context
    this.#folder = folder
    this.#log = log
    this.#activity = parts.activity
    this.#disk = parts.disk
    this.#epochs = parts.epochs
    this.options = options
    this.end = log.end
    this.shape = log.shape
    this.changed = log.changed
    this.#plan = new RollPlan(log.shape, log.end)
  }

  get active(): FileSegment {
    return this.#log.segments.at(-1)!
  }

  announce(batch: AnnouncedBatch, nowMs: bigint): 'same segment' | 'new segment' {
    const rolls = this.#plan.announce(batch, nowMs, this.options, () => this.#drawJitterMs())
    return rolls ? 'new segment' : 'same segment'
  }

  async append(at: bigint, batches: readonly StampedBatch[]): Promise<'appended' | 'conflict'> {
    if (at !== this.end) {
      this.#plan.reset(this.shape, this.end)
      return 'conflict'
    }
    let begin = 0
    for (let i = 0; i < batches.length; i++) {
      const rolls = batches[i]!.newSegment
      if (rolls === undefined) continue
      await this.#write(batches, begin, i)
      begin = i
      if (this.shape.sizeBytes > 0) await this.#roll(batches[i]!.baseOffset, rolls.snapshot)
    }
    await this.#write(batches, begin, batches.length)
    const last = batches.at(-1)
    if (last === undefined) return 'appended'
    const end = last.lastOffset + 1n
    if (end - this.#disk.recoveryPoint >= this.options.flushMessages) {
      await this.#activity.drain()
      await this.#disk.to(end)
    }
    this.#ended(end)
    return 'appended'
  }

  /** Everything before `end` can be read; what is not on the disk of it comes there in time. */
  #ended(end: bigint): void {
    if (end > this.#disk.recoveryPoint) this.#disk.later(this.options, () => this.end)
    this.end = end
    if (this.#plan.end < end) this.#plan.reset(this.shape, end)
  }

  /**
   * As `append`, in this turn, if nothing of it has to wait. null = it has to: nothing was done that `append` does not
   * do again. To be called while no change is under way.
   */
  appendNow(at: bigint, batches: readonly StampedBatch[]): 'appended' | null {
    const last = batches.at(-1)
    const indexes = this.active.pinnedIndexes
    if (at !== this.end || last === undefined || indexes === null) return null
    const end = last.lastOffset + 1n
    if (end - this.#disk.recoveryPoint >= this.options.flushMessages) return null
    const chunks: Uint8Array[] = []
    let bytes = 0
    for (const batch of batches) {
      if (batch.newSegment !== undefined || batch.aborted !== undefined) return null
      chunks.push(batch.bytes)
      bytes += batch.bytes.byteLength
    }
    this.changed = true
    if (!this.active.writeNow(chunks, bytes)) return null
    this.#count(batches, 0, batches.length, indexes)
    this.#ended(end)
    return 'appended'
  }

  /** Writes batches `from` to `to` behind the active segment as one vectored write. */
  async #write(batches: readonly StampedBatch[], from: number, to: number): Promise<void> {
    if (from === to) return
    const active = this.active
    this.changed = true
    const chunks: Uint8Array[] = []
    for (let i = from; i < to; i++) {
      const { bytes, aborted } = batches[i]!
      chunks.push(bytes)
      if (aborted !== undefined) await active.aborted.add(aborted)
    }
    await active.write(chunks)
    this.#count(batches, from, to, active.pinnedIndexes ?? (await active.indexes()))
  }

  /** Batches `from` to `to` are written: they count, and have their entries in the indexes. */
  #count(batches: readonly StampedBatch[], from: number, to: number, indexes: SegmentIndexes): void {
    let epochsChanged = false
    for (let i = from; i < to; i++) {
      const { bytes, baseOffset, lastOffset, maxTimestamp, leaderEpoch } = batches[i]!
      const counted = { sizeBytes: bytes.byteLength, lastOffset, maxTimestamp }
      addBatch(indexes, this.shape, counted, this.options.indexIntervalBytes)
      if (this.#epochs.epochs.assign(leaderEpoch, baseOffset)) epochsChanged = true
    }
    this.active.sizeBytes = this.shape.sizeBytes
    if (epochsChanged) this.#epochs.saveLater()
  }

  /** Ends the active segment and begins the next one; the ended one goes to the disk in the background. */
  async #roll(baseOffset: bigint, snapshot: Uint8Array | null): Promise<void> {
    const ended = this.active
    const indexes = await ended.indexes()
    endTimeIndex(indexes.time, this.shape)
    ended.remember(this.shape.maxTimestamp)
    const next = new FileSegment(this.#context, this.#folder, baseOffset, 0, this.options.indexIntervalBytes)
    await next.create(this.options.segmentIndexBytes)
    if (snapshot !== null) {
      const bases = new Set([...this.#log.segments.map((segment) => segment.baseOffset), baseOffset])
      await this.#log.snapshots.save({ offset: baseOffset, bytes: snapshot }, bases, false)
    }
    this.#log.segments.push(next)
    this.shape = new SegmentShape({ baseOffset, jitterMs: this.#drawJitterMs() })
    this.#activity.later(async () => {
      await ended.writeIndexes(indexes, true)
      ended.unpin()
      await this.#disk.to(baseOffset)
    })
  }

  /** Whether the log ends exactly at `at` and nothing is announced that is not appended. */
  endsAt(at: bigint): boolean {
    return this.end === at && this.#plan.end === at
  }

  /** Ends the active segment at `at`, where the log ends; what is announced from now on is weighed against the new one. */
  rollAt(at: bigint, snapshot: Uint8Array | null): Promise<'rolled' | 'conflict'> {
    this.#plan.reset(new SegmentShape({ baseOffset: at, jitterMs: this.shape.jitterMs }), at)
    return this.#activity.change(async () => {
      if (this.end !== at) return 'conflict'
      this.changed = true
      await this.#roll(at, snapshot)
      await this.#activity.drain()
      // what is trimmed next must not be gone while the new segment's name is not on the disk
      await this.#context.fs.syncDirectory(this.#folder)
      return 'rolled'
    })
  }

  /** The log was cut: it ends at `end` now. */
  cut(shape: SegmentShape, end: bigint): void {
    this.shape = shape
    this.end = end
    this.#plan.reset(shape, end)
  }

  /** Not synced: an index that a power loss takes is made again from the log. */
  async writeIndexes(cut: boolean): Promise<void> {
    const { active } = this
    const indexes = await active.indexes()
    endTimeIndex(indexes.time, this.shape)
    await active.writeIndexes(indexes)
    if (!cut) await active.preallocateIndexes(this.options.segmentIndexBytes, 'a')
  }

  #drawJitterMs(): bigint {
    return segmentJitter(this.#context.drawJitter(), this.options.segmentJitterMs, this.options.segmentMs)
  }
}
