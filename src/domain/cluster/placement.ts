/**
 * Which brokers hold the replicas of new partitions: chosen by the controller, or given by the client and checked.
 */
import type { KafkaError } from '../errors.ts'
import type { Uuid } from '../uuid.ts'
import type { BrokerImage, ClusterImage } from './cluster-image.ts'
import { MIGRATING_DIRECTORY, UNASSIGNED_DIRECTORY } from './directory-id.ts'
import type { PartitionRecord } from './metadata-record.ts'

/** A request, or a part of one, that is refused. `message` null = the client sees the error only. */
export interface Refusal {
  readonly error: KafkaError
  readonly message: string | null
}

export type Placed = { readonly replicas: readonly (readonly number[])[] } | { readonly refusal: Refusal }

export function refusal(error: KafkaError, message: string | null): { readonly refusal: Refusal } {
  return { refusal: { error, message } }
}

/**
 * Spreads partitions `from` … `from + count - 1` over the brokers: the leaders go round the unfenced ones, fenced ones
 * serve as the last replicas, and brokers whose directories are all cordoned (KIP-1066) get nothing.
 */
export function placePartitions(image: ClusterImage, from: number, count: number, replicationFactor: number): Placed {
  const usable = [...image.brokers.values()].filter((broker) => !isCordoned(broker)).sort((a, b) => a.id - b.id)
  const unfenced = usable.filter(({ fenced }) => !fenced)
  const fenced = usable.filter((broker) => broker.fenced)
  const unable = (why: string) =>
    refusal('INVALID_REPLICATION_FACTOR', `Unable to replicate the partition ${replicationFactor} time(s): ${why}`)
  if (unfenced.length === 0) {
    return unable('All brokers are currently fenced, or have all their log directories cordoned.')
  }
  if (replicationFactor > usable.length) {
    return unable(
      `The target replication factor of ${replicationFactor} cannot be reached because only ${usable.length} broker(s) are registered or some brokers have all their log directories cordoned.`,
    )
  }
  if (!unfenced.some(isActive)) return unable('All brokers are currently fenced or in controlled shutdown.')
  const replicas = Array.from({ length: count }, (_, index) =>
    [...rotated(unfenced, from + index), ...rotated(fenced, from + index)]
      .slice(0, replicationFactor)
      .map(({ id }) => id),
  )
  return { replicas }
}

/**
 * Why the replicas that a client gave for one partition are refused, or null. `sizeBefore` is the number of replicas
 * of the partitions before it, null for the first.
 */
export function assignmentProblem(
  image: ClusterImage,
  partition: number,
  brokerIds: readonly number[],
  sizeBefore: number | null,
): Refusal | null {
  const invalid = (message: string): Refusal => ({ error: 'INVALID_REPLICA_ASSIGNMENT', message })
  if (brokerIds.length === 0) return invalid('The manual partition assignment includes an empty replica list.')
  let before: number | null = null
  for (const id of [...brokerIds].sort((a, b) => a - b)) {
    if (!image.brokers.has(id)) {
      return invalid(`The manual partition assignment includes broker ${id}, but no such broker is registered.`)
    }
    if (id === before) return invalid(`The manual partition assignment includes the broker ${id} more than once.`)
    before = id
  }
  if (sizeBefore !== null && sizeBefore !== brokerIds.length) {
    return invalid(
      `The manual partition assignment includes a partition with ${brokerIds.length} replica(s), but this is not consistent with previous partitions, which have ${sizeBefore} replica(s).`,
    )
  }
  if (!brokerIds.some((id) => isActive(image.brokers.get(id)!))) {
    return invalid(
      `All brokers specified in the manual partition assignment for partition ${partition} are fenced or in controlled shutdown.`,
    )
  }
  return null
}

/** The record of a new partition whose replicas were placed or checked here, as Kafka's controller writes it. */
export function newPartitionRecord(
  image: ClusterImage,
  topicId: Uuid,
  partitionId: number,
  replicas: readonly number[],
): PartitionRecord {
  const isr = replicas.filter((id) => isActive(image.brokers.get(id)!))
  return {
    type: 'PartitionRecord',
    partitionId,
    topicId,
    replicas,
    isr,
    removingReplicas: [],
    addingReplicas: [],
    leader: isr[0]!,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: replicas.map((id) => defaultDirectory(image.brokers.get(id)!)),
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  }
}

/** With one directory there is no choice to wait for; with several the broker chooses. */
function defaultDirectory(broker: BrokerImage): Uuid {
  const [first, second] = broker.logDirs
  if (first === undefined) return MIGRATING_DIRECTORY
  return second === undefined ? first : UNASSIGNED_DIRECTORY
}

function isActive(broker: BrokerImage): boolean {
  return !broker.fenced && !broker.inControlledShutdown
}

function isCordoned(broker: BrokerImage): boolean {
  const { logDirs, cordonedLogDirs } = broker
  return logDirs.length > 0 && logDirs.every((directory) => cordonedLogDirs?.includes(directory) === true)
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  if (items.length === 0) return items
  const start = by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}
