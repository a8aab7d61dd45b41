/**
 * ListOffsets: the first and the last offset, the offset of a time, of the largest timestamp (KIP-734), and the
 * answers that a broker without tiered storage gives about it (KIP-405, KIP-1005, KIP-1023): what is local is
 * everything, nothing is tiered, nothing is to be uploaded.
 *
 * Each partition is answered for itself, once, even if it was asked twice (which is an error of its own).
 */
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import { checkLeaderEpoch, epochAt, UNDEFINED_EPOCH } from '../../../domain/log/leader-epoch-lookup.ts'
import type { Isolation, PartitionDirectory, ReadablePartition } from '../../partition.ts'
import type { TimestampOffset } from '../../ports/log-store.ts'
import { isolationOf } from './isolation.ts'
import { openPartition, orStorageError } from './readable.ts'

/** Timestamps that are questions. */
export const LATEST = -1n
export const EARLIEST = -2n
export const MAX_TIMESTAMP = -3n
export const EARLIEST_LOCAL = -4n
export const LATEST_TIERED = -5n
export const EARLIEST_PENDING_UPLOAD = -6n

const CONSUMER = -1

export interface ListOffsetsCommand {
  /** -1 = a consumer. */
  readonly replicaId: number
  /** As on the wire: 0 = read uncommitted, 1 = read committed. */
  readonly isolationLevel: number
  /** The lowest of the negative timestamps that the client's version knows. */
  readonly lowestTimestamp: bigint
  readonly topics: readonly ListOffsetsTopic[]
}

export interface ListOffsetsTopic {
  readonly name: string
  readonly partitions: readonly ListOffsetsPartition[]
}

export interface ListOffsetsPartition {
  readonly partitionIndex: number
  /** -1 = not said. */
  readonly currentLeaderEpoch: number
  readonly timestamp: bigint
}

/** -1 in all three where there is no such offset, and with every error. */
export interface ListedOffset {
  readonly partitionIndex: number
  readonly error: ErrorName
  readonly timestamp: bigint
  readonly offset: bigint
  readonly leaderEpoch: number
}

export interface ListedTopic {
  readonly name: string
  readonly partitions: readonly ListedOffset[]
}

const nowhere: TimestampOffset = { timestamp: -1n, offset: -1n, leaderEpoch: UNDEFINED_EPOCH }

export class ListOffsets {
  readonly #partitions: PartitionDirectory

  constructor(partitions: PartitionDirectory) {
    this.#partitions = partitions
  }

  async execute(command: ListOffsetsCommand): Promise<readonly ListedTopic[]> {
    const topics: ListedTopic[] = []
    for (const [name, asked] of byTopic(command.topics)) {
      const partitions: ListedOffset[] = []
      for (const [partitionIndex, question] of asked) {
        const answer = question === 'asked twice' ? 'INVALID_REQUEST' : await this.#offset(name, question, command)
        const error = typeof answer === 'string' ? answer : 'NONE'
        const { timestamp, offset, leaderEpoch } = typeof answer === 'string' ? nowhere : answer
        partitions.push({ partitionIndex, error, timestamp, offset, leaderEpoch })
      }
      topics.push({ name, partitions })
    }
    return topics
  }

  async #offset(
    topic: string,
    { partitionIndex, timestamp, currentLeaderEpoch }: ListOffsetsPartition,
    command: ListOffsetsCommand,
  ): Promise<TimestampOffset | KafkaError> {
    if (timestamp < command.lowestTimestamp) return 'UNSUPPORTED_VERSION'
    const isolation = isolationOf(command.isolationLevel)
    // Kafka answers UNKNOWN_SERVER_ERROR.
    if (isolation === null) return 'INVALID_REQUEST'
    const partition = await openPartition(this.#partitions, topic, partitionIndex)
    if (typeof partition === 'string') return partition
    const epochError = checkLeaderEpoch(currentLeaderEpoch, partition.leaderEpoch)
    if (epochError !== null) return epochError
    // Who is no consumer sees all that is written.
    const view = command.replicaId === CONSUMER ? isolation : 'read uncommitted'
    return orStorageError(() => offsetOf(partition, timestamp, view))
  }
}

async function offsetOf(
  partition: ReadablePartition,
  timestamp: bigint,
  isolation: Isolation,
): Promise<TimestampOffset> {
  const end = isolation === 'read committed' ? partition.lastStableOffset : partition.highWatermark
  switch (timestamp) {
    case LATEST:
      return { timestamp: -1n, offset: end, leaderEpoch: partition.leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return earliest(partition)
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return nowhere
    case MAX_TIMESTAMP: {
      const found = await partition.offsetOfMaxTimestamp()
      return found === null || found.offset >= end ? nowhere : found
    }
    default:
      return (await partition.offsetForTimestamp(timestamp, isolation)) ?? nowhere
  }
}

function earliest(partition: ReadablePartition): TimestampOffset {
  const offset = partition.logStartOffset
  const history = {
    entries: partition.leaderEpochs(),
    currentEpoch: partition.leaderEpoch,
    logEnd: partition.highWatermark,
  }
  return { timestamp: -1n, offset, leaderEpoch: epochAt(history, offset) }
}

/** Topics and partitions in the order of their first mention, each once. */
function byTopic(topics: readonly ListOffsetsTopic[]): Map<string, Map<number, ListOffsetsPartition | 'asked twice'>> {
  const all = new Map<string, Map<number, ListOffsetsPartition | 'asked twice'>>()
  for (const topic of topics) {
    let partitions = all.get(topic.name)
    if (partitions === undefined)
      all.set(topic.name, (partitions = new Map<number, ListOffsetsPartition | 'asked twice'>()))
    for (const partition of topic.partitions) {
      const index = partition.partitionIndex
      partitions.set(index, partitions.has(index) ? 'asked twice' : partition)
    }
  }
  return all
}
