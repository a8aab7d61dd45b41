/**
 * Keeps committed offsets clean on its own: those whose retention is over go at intervals, with the groups that have
 * nothing left; those of a deleted topic go with it.
 */
import type { ClusterImage } from '../../../domain/cluster/cluster-image.ts'
import { decideExpiry, decideTopicsGone, type OffsetRules } from '../../../domain/groups/offset-rules.ts'
import type { GroupRecord } from '../../../domain/groups/group-record.ts'
import type { GroupShard } from '../../../domain/groups/group-shard.ts'
import type { GroupCoordinator } from '../../group-coordinator.ts'
import type { Logger } from '../../ports/logger.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import type { Timer, Timers } from '../../ports/timers.ts'

export interface CleanOffsetsSettings extends OffsetRules {
  readonly offsetsRetentionCheckIntervalMs: number
}

export class CleanOffsets {
  readonly #groups: GroupCoordinator
  readonly #metadata: MetadataRepository
  readonly #timers: Timers
  readonly #logger: Logger
  readonly #settings: () => CleanOffsetsSettings
  #stopListening: (() => void) | null = null
  #timer: Timer | null = null

  constructor(
    groups: GroupCoordinator,
    metadata: MetadataRepository,
    timers: Timers,
    logger: Logger,
    settings: () => CleanOffsetsSettings,
  ) {
    this.#groups = groups
    this.#metadata = metadata
    this.#timers = timers
    this.#logger = logger
    this.#settings = settings
  }

  start(): void {
    this.#stopListening = this.#metadata.onChange((image, before) => this.#follow(image, before))
    this.#later()
  }

  close(): Promise<void> {
    this.#stopListening?.()
    this.#timer?.cancel()
    return Promise.resolve()
  }

  #later(): void {
    this.#timer = this.#timers.after(this.#settings().offsetsRetentionCheckIntervalMs, () => {
      this.#sweep('expired offsets', (shard, nowMs) => decideExpiry(shard, this.#settings(), nowMs))
      this.#later()
    })
  }

  #follow(image: ClusterImage, before: ClusterImage): void {
    if (image.topicsById === before.topicsById) return
    const gone: string[] = []
    for (const [id, { name }] of before.topicsById) if (!image.topicsById.has(id)) gone.push(name)
    if (gone.length > 0) this.#sweep('offsets of deleted topics', (shard) => decideTopicsGone(shard, gone))
  }

  #sweep(what: string, decide: (shard: GroupShard, nowMs: bigint) => readonly GroupRecord[]): void {
    const { coordinator } = this.#groups
    for (const partition of coordinator.activePartitions()) {
      const swept = coordinator.runAt(partition, (shard, nowMs) => {
        const records = decide(shard, nowMs)
        return { records, divisible: true, answer: records.length }
      })
      swept.then(
        ({ error, answer }) => {
          if (error !== null) this.#logger.warn(`${what} not removed`, { partition, error })
          else if (answer > 0) this.#logger.info(`${what} removed`, { partition, records: answer })
        },
        (cause: unknown) => this.#logger.error(`${what} not removed`, { partition, cause }),
      )
    }
  }
}
