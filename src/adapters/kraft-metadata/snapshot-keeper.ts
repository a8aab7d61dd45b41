/**
 * Takes snapshots when enough has been written, and lets old ones and the log below them go, by Kafka's rules
 * (`metadata.log.max.record.bytes.between.snapshots`, `metadata.log.max.snapshot.interval.ms`,
 * `metadata.max.retention.bytes`, `metadata.max.retention.ms`).
 *
 * A snapshot is written beside the commits that go on meanwhile; it fails alone, with an error line. What was written
 * after the newest one is in the next one when the interval is over, whether more is written or not; Kafka comes to it
 * by the NoOpRecords that it writes all the time.
 */
import { join } from 'node:path'
import type { Clock } from '../../application/ports/clock.ts'
import type { Logger } from '../../application/ports/logger.ts'
import type { PartitionLog } from '../../application/ports/log-store.ts'
import type { Timer, Timers } from '../../application/ports/timers.ts'
import type { ClusterImage } from '../../domain/cluster/cluster-image.ts'
import { imageRecords } from '../../domain/cluster/image-records.ts'
import type { Crc32c } from '../../domain/log/batch-writer.ts'
import type { SnapshotPolicy } from './kraft-metadata-options.ts'
import type { MetadataFiles } from './metadata-files.ts'
import type { QuorumFacts, SnapshotName } from './snapshot-file.ts'
import { snapshotFileName, writeSnapshot } from './snapshot-file.ts'
import { reasonOf } from './unusable-directory.ts'

const READ_ONLY = 0o400
/** The longest delay of a timer. */
const DELAY_MS_MAX = 0x7fff_ffff

export interface SnapshotKeeperSources {
  readonly files: MetadataFiles
  readonly log: PartitionLog
  readonly folder: string
  readonly facts: QuorumFacts
  readonly policy: SnapshotPolicy
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  readonly crc32c: Crc32c
}

interface KeptSnapshot extends SnapshotName {
  readonly bytes: number
  /** When it was written. */
  readonly writtenMs: bigint
}

export class SnapshotKeeper {
  readonly #sources: SnapshotKeeperSources
  #kept: KeptSnapshot[] = []
  #bytes: number
  #sinceMs: number
  /** What no snapshot holds yet: the newest image and its time; null = nothing was written since the last one. */
  #newest: { readonly image: ClusterImage; readonly lastTimestamp: bigint } | null = null
  #timer: Timer | null = null
  #writing: Promise<void> | null = null
  #closed = false

  /** @param bytesSinceSnapshot what the log holds behind the newest snapshot */
  constructor(sources: SnapshotKeeperSources, bytesSinceSnapshot: number) {
    this.#sources = sources
    this.#bytes = bytesSinceSnapshot
    this.#sinceMs = sources.clock.monotonicMs()
  }

  /** Takes the snapshots that are there into its care. */
  async adopt(names: readonly SnapshotName[]): Promise<void> {
    for (const name of names) {
      const { size, mtimeMs } = await this.#sources.files.statOf(name.file)
      this.#kept.push({ ...name, bytes: size, writtenMs: BigInt(Math.trunc(mtimeMs)) })
    }
  }

  /** To be told of each write that brought the log to `image`; begins a snapshot when it is time for one. */
  written(bytes: number, image: ClusterImage, lastTimestamp: bigint): void {
    this.#bytes += bytes
    this.#newest = { image, lastTimestamp }
    this.#takeWhenDue()
  }

  #takeWhenDue(): void {
    const { policy, clock, timers, logger } = this.#sources
    const newest = this.#newest
    if (this.#closed || newest === null || this.#writing !== null || newest.image.openTransaction !== null) return
    const interval = policy.maxSnapshotIntervalMs > 0 ? policy.maxSnapshotIntervalMs : Infinity
    const leftMs = interval - (clock.monotonicMs() - this.#sinceMs)
    if (this.#bytes < policy.maxRecordBytesBetweenSnapshots && leftMs > 0) {
      if (leftMs === Infinity) return
      this.#timer ??= timers.after(Math.min(Math.ceil(leftMs), DELAY_MS_MAX), () => {
        this.#timer = null
        this.#takeWhenDue()
      })
      return
    }
    this.#bytes = 0
    this.#sinceMs = clock.monotonicMs()
    this.#newest = null
    this.#writing = this.#take(newest.image, newest.lastTimestamp)
      .catch((error: unknown) => {
        logger.error('metadata snapshot failed', { offset: newest.image.offset + 1n, reason: reasonOf(error) })
      })
      .finally(() => {
        this.#writing = null
        this.#takeWhenDue()
      })
  }

  /** Resolves when no snapshot is being written, and none will be. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#writing
  }

  async #take(image: ClusterImage, lastContainedLogTimestamp: bigint): Promise<void> {
    const { files, folder, facts, clock, logger, crc32c } = this.#sources
    const endOffset = image.offset + 1n
    const file = join(folder, snapshotFileName(endOffset, image.epoch))
    const nowMs = clock.nowMs()
    const bytes = await writeSnapshot(
      { records: imageRecords(image), lastContainedLogTimestamp, ...facts },
      {
        file,
        temporary: `${file}.part`,
        mode: READ_ONLY,
        epoch: image.epoch,
        level: image.features.get('metadata.version') ?? 0,
        nowMs,
      },
      crc32c,
      files,
    )
    logger.info('metadata snapshot written', { file, bytes })
    this.#kept.push({ file, endOffset, epoch: image.epoch, bytes, writtenMs: nowMs })
    await this.#clean()
  }

  /** The newest snapshot always stays, and the log from the oldest kept one on. */
  async #clean(): Promise<void> {
    const { files, log, logger } = this.#sources
    while (this.#kept.length > 1 && this.#isOver()) {
      const oldest = this.#kept.shift()!
      await log.trim(this.#kept[0]!.endOffset)
      const deleted = `${oldest.file}.deleted`
      await files.rename(oldest.file, deleted)
      await files.remove(deleted)
      logger.info('metadata snapshot removed', { file: oldest.file })
    }
  }

  #isOver(): boolean {
    const { log, policy, clock } = this.#sources
    const bytes = this.#kept.reduce((sum, snapshot) => sum + snapshot.bytes, log.sizeBytes())
    if (policy.maxRetentionBytes >= 0 && bytes > policy.maxRetentionBytes) return true
    return policy.maxRetentionMs >= 0 && clock.nowMs() - this.#kept[0]!.writtenMs > BigInt(policy.maxRetentionMs)
  }
}
