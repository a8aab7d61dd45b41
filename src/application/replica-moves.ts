/**
 * Moves replicas between the log directories of this broker (KIP-113): a copy catches up while the partition is served,
 * and takes the log's place when nothing is missing, for which appends wait a moment. The metadata says before that the
 * replica belongs to the new directory (KIP-858): whoever starts next completes the exchange if it was interrupted.
 *
 * A move goes on at the next start. One that fails leaves the partition where it is.
 */
import type { KafkaError } from '../domain/errors.ts'
import { RecordBatchView } from '../domain/log/record-batch.ts'
import { topicPartitionKey, type TopicPartition } from '../domain/topic-partition.ts'
import { fitCopy, LogCopy, type CopyPorts } from './copy-log.ts'
import type { HostedPartition } from './hosted-partition.ts'
import type { FutureReplica } from './partition.ts'
import type { Partitions } from './partitions.ts'
import type { LogStore, PartitionLog } from './ports/log-store.ts'
import type { Logger } from './ports/logger.ts'
import type { Timers } from './ports/timers.ts'
import { joinedSlice } from './joined-slice.ts'
import { recoverProducers } from './recover-producers.ts'
import type { ReplicaDirectories } from './replica-directories.ts'
import { Pace } from './use-cases/maintenance/pace.ts'

export interface ReplicaMovesPorts extends CopyPorts {
  readonly logStore: LogStore
  readonly partitions: Partitions
  readonly directories: ReplicaDirectories
  readonly timers: Timers
  readonly logger: Logger
}

export interface ReplicaMovesSettings {
  /** `replica.alter.log.dirs.io.max.bytes.per.second`. */
  readonly replicaAlterLogDirsIoMaxBytesPerSecond: number
}

interface Move {
  readonly topicPartition: TopicPartition
  readonly directory: string
  copy: LogCopy | null
  stopped: boolean
  done: Promise<void>
}

export class ReplicaMoves {
  readonly #ports: ReplicaMovesPorts
  readonly #pace: Pace
  readonly #moves = new Map<string, Move>()

  constructor(ports: ReplicaMovesPorts, settings: () => ReplicaMovesSettings) {
    this.#ports = ports
    this.#pace = new Pace(ports.clock, ports.timers, () => settings().replicaAlterLogDirsIoMaxBytesPerSecond)
  }

  /** Goes on with what the last process left. */
  start(): void {
    for (const { topicPartition, directory } of this.#ports.logStore.copies?.list() ?? []) {
      const hosted = this.#ports.partitions.find(topicPartition.topic, topicPartition.partition)
      if (hosted === null) void this.#setAside(topicPartition)
      else this.#begin(hosted, directory)
    }
  }

  async #setAside(topicPartition: TopicPartition): Promise<void> {
    await this.#ports.logStore.copies?.discard(topicPartition, 'stray').catch((cause: unknown) => {
      this.#ports.logger.error('copy of a log not set aside', { ...topicPartition, cause })
    })
  }

  /** The copy of a partition that is under way. */
  future({ topic, partition }: TopicPartition): FutureReplica | null {
    const move = this.#moves.get(topicPartitionKey(topic, partition))
    const log = this.#ports.partitions.find(topic, partition)?.log
    const copied = move?.copy?.log
    if (move === undefined || copied === undefined || !log) return null
    const offsetLag = log.range().end - copied.range().end
    return { directory: move.directory, sizeBytes: copied.sizeBytes(), offsetLag: offsetLag < 0n ? 0n : offsetLag }
  }

  /** Begins to move an open partition to an online directory, in place of any move to another one. */
  async move(hosted: HostedPartition, directory: string): Promise<KafkaError | null> {
    const key = topicPartitionKey(hosted.topicPartition.topic, hosted.topicPartition.partition)
    const copies = this.#ports.logStore.copies
    const current = this.#moves.get(key)
    if (current?.directory === directory) return null
    if (current !== undefined) await this.#giveUp(current)
    const log = hosted.log
    if (copies === undefined || log === null) return 'KAFKA_STORAGE_ERROR'
    if (log.directory !== directory) this.#begin(hosted, directory)
    return null
  }

  #begin(hosted: HostedPartition, directory: string): void {
    const { topicPartition } = hosted
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition)
    const move: Move = { topicPartition, directory, copy: null, stopped: false, done: Promise.resolve() }
    this.#moves.set(key, move)
    move.done = this.#run(hosted, move)
      .catch(async (cause: unknown) => {
        if (move.stopped || this.#pace.stopped) return
        this.#ports.logger.error('log not moved', { log: key, directory, cause })
        await this.#ports.logStore.copies?.discard(topicPartition, 'delete')
      })
      .catch((cause: unknown) => this.#ports.logger.error('copy of a log not removed', { log: key, cause }))
      .finally(() => {
        if (this.#moves.get(key) === move) this.#moves.delete(key)
      })
  }

  async #run(hosted: HostedPartition, move: Move): Promise<void> {
    await hosted.whenOpen()
    this.#pace.begin()
    while (!this.#ended(move)) {
      const log = hosted.log
      if (log === null && hosted.state === 'closed')
        await this.#ports.logStore.copies?.discard(move.topicPartition, 'delete')
      if (log === null || log.directory === move.directory) return
      const copy = (move.copy ??= await this.#open(hosted, log, move.directory))
      try {
        const bytes = await copy.next(log, hosted.highWatermark)
        if (bytes === 0) {
          await this.#exchange(hosted, log, move, copy)
          return
        }
        await this.#pace.spent(bytes)
      } catch (cause) {
        // the log was trimmed past what the copy had reached: it begins anew
        if (!(cause instanceof RangeError) || copy.log.range().end >= log.range().start) throw cause
        move.copy = null
        await this.#ports.logStore.copies?.discard(move.topicPartition, 'delete')
      }
    }
    if (this.#pace.stopped) await move.copy?.save()
  }

  #ended(move: Move): boolean {
    return move.stopped || this.#pace.stopped
  }

  async #open(hosted: HostedPartition, log: PartitionLog, directory: string): Promise<LogCopy> {
    const copies = this.#ports.logStore.copies!
    const { topicPartition } = hosted
    const open = async () =>
      await copies.open(topicPartition, directory, hosted.logOptions(), await firstBatch(log, hosted.highWatermark))
    let copied = await open()
    if (!(await fitCopy(copied, log))) {
      await copies.discard(topicPartition, 'delete')
      copied = await open()
    }
    const { states } = await recoverProducers(copied, this.#ports.checksum)
    return new LogCopy(copied, states, this.#ports)
  }

  async #exchange(hosted: HostedPartition, log: PartitionLog, move: Move, copy: LogCopy): Promise<void> {
    const { logStore, directories } = this.#ports
    const { topicPartition, topicId } = hosted
    await hosted.exchangeLog(async (snapshot, now) => {
      while ((await copy.next(log, snapshot.offset)) > 0) if (this.#ended(move)) return
      const dirty = log.firstDirtyOffset()
      const { start } = log.range()
      if (copy.log.range().start < start) await copy.log.trim(start)
      if (copy.log.range().end === snapshot.offset) await copy.log.saveSnapshot(snapshot)
      if (this.#ended(move)) return
      await directories.assign(topicId, topicPartition.partition, move.directory)
      move.copy = null
      await logStore.copies!.promote(topicPartition, hosted.logOptions(), now)
      // retention goes on beside the exchange: what it took from the log does not come back
      const deleted = log.range().start
      if (hosted.logStartOffset < deleted) await hosted.log?.trim(deleted)
      // what was compacted of the log while it was copied may lie in the copy as it was
      if (dirty !== null) await hosted.log?.saveFirstDirtyOffset(hosted.logStartOffset)
    })
  }

  async #giveUp(move: Move): Promise<void> {
    move.stopped = true
    await move.done
    await this.#ports.logStore.copies?.discard(move.topicPartition, 'delete')
  }

  /** Stops where it is; the next start goes on. */
  async close(): Promise<void> {
    this.#pace.stop()
    await Promise.all([...this.#moves.values()].map(({ done }) => done))
  }
}

/** Where the batch begins that holds the log's start offset: records before it may have been deleted. */
async function firstBatch(log: PartitionLog, end: bigint): Promise<bigint> {
  const { start } = log.range()
  if (start >= end) return start
  const slice = await log.read(start, { bytesMax: 1, atLeastOne: true, before: end })
  try {
    const base = slice.bytes === 0 ? start : new RecordBatchView(joinedSlice(slice)).baseOffset
    return base < start ? base : start
  } finally {
    slice.release()
  }
}
