/**
 * Retention of all logs, every `log.retention.check.interval.ms`. Topics that compact are left to `CompactLogs`, which
 * applies it to them between its rounds, as Kafka's cleaner does.
 */
import { topicPartitionKey } from '../../../domain/topic-partition.ts'
import type { Clock } from '../../ports/clock.ts'
import { StorageError } from '../../ports/log-store.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Timers } from '../../ports/timers.ts'
import type { UpkeptPartition, UpkeptPartitions } from '../../upkeep.ts'
import { Pace } from './pace.ts'
import { retainLog } from './retain-log.ts'

export interface ApplyRetentionSettings {
  readonly logRetentionCheckIntervalMs: number
  /** Before the first pass (`log.initial.task.delay.ms`). */
  readonly logInitialTaskDelayMs: number
}

export class ApplyRetention {
  readonly #partitions: UpkeptPartitions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #settings: () => ApplyRetentionSettings
  readonly #pace: Pace
  #running: Promise<void> | null = null

  constructor(
    partitions: UpkeptPartitions,
    clock: Clock,
    timers: Timers,
    logger: Logger,
    settings: () => ApplyRetentionSettings,
  ) {
    this.#partitions = partitions
    this.#clock = clock
    this.#logger = logger
    this.#settings = settings
    this.#pace = new Pace(clock, timers, () => Infinity)
  }

  /** Begins to pass over all logs from time to time. */
  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#pace.stop()
    await this.#running
  }

  async #run(): Promise<void> {
    await this.#pace.pause(this.#settings().logInitialTaskDelayMs)
    while (!this.#pace.stopped) {
      await this.execute()
      await this.#pace.pause(this.#settings().logRetentionCheckIntervalMs)
    }
  }

  /** One pass over all logs that do not compact. */
  async execute(): Promise<void> {
    await retainAll(
      this.#partitions.upkept(({ cleanupPolicy }) => !cleanupPolicy.compact),
      this.#clock,
      this.#logger,
      this.#pace,
    )
  }
}

/** Applies retention to some partitions, one after the other. */
export async function retainAll(
  partitions: readonly UpkeptPartition[],
  clock: Clock,
  logger: Logger,
  pace: Pace,
): Promise<void> {
  pace.begin()
  for (const partition of partitions) {
    if (pace.stopped) return
    const { topic, partition: index } = partition.topicPartition
    const name = topicPartitionKey(topic, index)
    await partition.whenOpen()
    const upkeep = partition.upkeep()
    if (upkeep === null) continue
    try {
      const retained = await retainLog(upkeep, clock.nowMs())
      if (retained !== null) logger.info('segments deleted', { partition: name, ...retained })
    } catch (cause) {
      if (cause instanceof StorageError) upkeep.failed('retention', cause)
      else logger.error('retention failed', { partition: name, cause })
    }
    await pace.spent(0)
  }
}
