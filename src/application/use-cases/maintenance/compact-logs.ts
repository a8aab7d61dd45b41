/**
 * Compaction of the topics with `cleanup.policy=compact`: always the log with the largest dirty part next, one at a
 * time, until none is due; then a rest of `log.cleaner.backoff.ms`. Between rounds retention is applied to the same
 * logs (`compact,delete`). What a log is due for is in domain/log/compaction-plan.ts, how it is done in clean-log.ts.
 *
 * `log.cleaner.threads` means nothing here: there is one cleaner, on the process's only thread.
 */
import {
  cleanableRange,
  dirtySegments,
  firstDirtyOffset,
  overdueMs,
  type CleanableRange,
} from '../../../domain/log/compaction-plan.ts'
import { OffsetMap, type HashKey } from '../../../domain/log/offset-map.ts'
import { RecordBatchView } from '../../../domain/log/record-batch.ts'
import type { SizedSegment } from '../../../domain/log/retention.ts'
import { topicPartitionKey } from '../../../domain/topic-partition.ts'
import type { Checksum } from '../../ports/checksum.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Compressor } from '../../ports/compressor.ts'
import { StorageError, type PartitionLog } from '../../ports/log-store.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Random } from '../../ports/random.ts'
import type { Timers } from '../../ports/timers.ts'
import type { Upkeep, UpkeptPartitions } from '../../upkeep.ts'
import { retainAll } from './apply-retention.ts'
import { cleanLog, UncleanableLog } from './clean-log.ts'
import { Pace } from './pace.ts'

export interface CompactLogsSettings {
  readonly logCleanerBackoffMs: number
  readonly logCleanerDedupeBufferSize: number
  readonly logCleanerIoBufferSize: number
  readonly logCleanerIoBufferLoadFactor: number
  readonly logCleanerIoMaxBytesPerSecond: number
}

export interface CompactLogsPorts {
  readonly partitions: UpkeptPartitions
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Pick<Random, 'integer'>
  readonly checksum: Checksum
  readonly compressor: Compressor
  readonly logger: Logger
}

interface Candidate {
  readonly name: string
  readonly upkeep: Upkeep
  readonly range: CleanableRange
}

const NEVER = 0x7fff_ffff_ffff_ffffn
/** A step is short, because nothing else runs during it. */
const READ_BYTES_MAX = 64 * 1024
const WORD = 2 ** 32

export class CompactLogs {
  readonly #ports: CompactLogsPorts
  readonly #settings: () => CompactLogsSettings
  readonly #pace: Pace
  readonly #hashKey: HashKey
  /** Logs that hold what cannot be read: not tried again by this process. */
  readonly #uncleanable = new WeakSet<PartitionLog>()
  #running: Promise<void> | null = null

  constructor(ports: CompactLogsPorts, settings: () => CompactLogsSettings) {
    this.#ports = ports
    this.#settings = settings
    this.#pace = new Pace(ports.clock, ports.timers, () => settings().logCleanerIoMaxBytesPerSecond)
    const word = () => ports.random.integer(WORD)
    this.#hashKey = [word(), word(), word(), word()]
  }

  /** Begins to compact whatever is due, from now on. */
  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when nothing is under way any more; a rewrite that is not finished is undone. */
  async close(): Promise<void> {
    this.#pace.stop()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#pace.stopped) {
      await this.#pace.pause(this.#settings().logCleanerBackoffMs)
      while (await this.execute());
    }
  }

  /** Compacts the log that needs it most, and applies retention. False = none was due, or none could be compacted. */
  async execute(): Promise<boolean> {
    if (this.#pace.stopped) return false
    this.#pace.begin()
    let cleaned = false
    const candidate = await this.#filthiest()
    if (candidate !== null) cleaned = await this.#clean(candidate)
    const { partitions, clock, logger } = this.#ports
    await retainAll(
      partitions.upkept(({ cleanupPolicy }) => cleanupPolicy.compact),
      clock,
      logger,
      this.#pace,
    )
    return cleaned
  }

  async #filthiest(): Promise<Candidate | null> {
    let most: Candidate | null = null
    for (const partition of this.#ports.partitions.upkept(({ cleanupPolicy }) => cleanupPolicy.compact)) {
      if (this.#pace.stopped) return null
      await partition.whenOpen()
      const upkeep = partition.upkeep()
      if (upkeep === null || this.#uncleanable.has(upkeep.log)) continue
      const { topic, partition: index } = partition.topicPartition
      const name = topicPartitionKey(topic, index)
      try {
        const range = await this.#due(upkeep, name)
        if (range !== null && (most === null || range.ratio > most.range.ratio)) most = { name, upkeep, range }
      } catch (cause) {
        this.#failed(name, upkeep, cause)
      }
      await this.#pace.spent(0)
    }
    return most
  }

  /** What of a log may be compacted, or null when it is not due. */
  async #due(upkeep: Upkeep, name: string): Promise<CleanableRange | null> {
    const { log, config, lastStableOffset } = upkeep
    const { start, end } = log.range()
    const checkpoint = log.firstDirtyOffset()
    const firstDirty = firstDirtyOffset(checkpoint, start, end)
    if (checkpoint !== null && checkpoint !== firstDirty) {
      if (!config.cleanupPolicy.delete) {
        this.#ports.logger.warn('cleaner checkpoint outside of its log', { partition: name, checkpoint, start, end })
      }
      await log.saveFirstDirtyOffset(firstDirty)
    }
    const segments = log.segments()
    const dirty = dirtySegments(segments, firstDirty)
    if (dirty.length === 0) return null
    const nowMs = this.#ports.clock.nowMs()
    const young = await firstYoung(upkeep, dirty, nowMs)
    const uncleanable = young !== null && young < lastStableOffset ? young : lastStableOffset
    const range = cleanableRange(segments, firstDirty, uncleanable)
    if (range.cleanableBytes === 0) return null
    if (range.ratio > config.minCleanableDirtyRatio) return range
    if (config.maxCompactionLagMs === NEVER) return null
    return overdueMs(await oldestTimestamp(log, dirty), config.maxCompactionLagMs, nowMs) > 0n ? range : null
  }

  async #clean({ name, upkeep, range }: Candidate): Promise<boolean> {
    const { clock, checksum, compressor, logger } = this.#ports
    const settings = this.#settings()
    const beganMs = clock.monotonicMs()
    try {
      const cleaned = await cleanLog(upkeep, range, clock.nowMs(), {
        map: new OffsetMap(settings.logCleanerDedupeBufferSize, settings.logCleanerIoBufferLoadFactor, this.#hashKey),
        checksum,
        compressor,
        pace: this.#pace,
        readBytes: Math.max(1, Math.min(READ_BYTES_MAX, settings.logCleanerIoBufferSize / 2)),
      })
      if (cleaned === null) return false
      const tookMs = Math.round(clock.monotonicMs() - beganMs)
      logger.info('log compacted', { partition: name, from: range.firstDirtyOffset, ...cleaned, tookMs })
      return true
    } catch (cause) {
      this.#failed(name, upkeep, cause)
      return false
    }
  }

  #failed(name: string, upkeep: Upkeep, cause: unknown): void {
    if (cause instanceof StorageError) {
      upkeep.failed('compaction', cause)
      return
    }
    const uncleanable = cause instanceof UncleanableLog
    if (uncleanable) this.#uncleanable.add(upkeep.log)
    this.#ports.logger.error(uncleanable ? 'log not compacted any more' : 'compaction failed', {
      partition: name,
      cause,
    })
  }
}

/** Where the first of the closed segments begins that `min.compaction.lag.ms` protects; null = none is. */
async function firstYoung(upkeep: Upkeep, dirty: readonly SizedSegment[], nowMs: bigint): Promise<bigint | null> {
  const { log, config } = upkeep
  if (config.minCompactionLagMs <= 0n) return null
  for (const { baseOffset } of dirty) {
    const largest = await log.largestTimestamp(baseOffset)
    if (largest === 'conflict' || largest > nowMs - config.minCompactionLagMs) return baseOffset
  }
  return null
}

/** The oldest of the dirty segments' first timestamps; null = none has one. */
async function oldestTimestamp(log: PartitionLog, dirty: readonly SizedSegment[]): Promise<bigint | null> {
  let oldest: bigint | null = null
  const { start, end: before } = log.range()
  for (const { baseOffset } of dirty) {
    const from = baseOffset > start ? baseOffset : start
    const slice = await log.read(from, { bytesMax: 1, atLeastOne: true, before })
    try {
      const first = slice.chunks[0]
      if (first === undefined) continue
      const { maxTimestamp } = new RecordBatchView(first)
      if (maxTimestamp > 0n && (oldest === null || maxTimestamp < oldest)) oldest = maxTimestamp
    } finally {
      slice.release()
    }
  }
  return oldest
}
