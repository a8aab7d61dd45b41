/**
 * What a client is told about a topic's partitions: leaders, replicas and why one cannot be used right now.
 */
import type { ErrorName } from '../errors.ts'
import type { Uuid } from '../uuid.ts'
import type { BrokerImage, ClusterImage, PartitionImage } from './cluster-image.ts'
import { LOST_DIRECTORY, MIGRATING_DIRECTORY, UNASSIGNED_DIRECTORY } from './directory-id.ts'
import type { ClientView } from './endpoints.ts'
import { endpointOf, isAlive } from './endpoints.ts'

export interface PartitionDescription {
  readonly error: ErrorName
  readonly partitionId: number
  /** -1 = none that the client can reach. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
  readonly offlineReplicas: readonly number[]
}

/** What older clients of Metadata need; everything else describes with `currentClients`. */
export interface DescriptionRules {
  /** v0 clients look every replica up among the brokers: leave out what is not there and say so. */
  readonly hideUnreachableReplicas: boolean
  /** The error of a partition whose leader is not on the client's listener (LISTENER_NOT_FOUND came with v6). */
  readonly leaderNotOnListener: 'LISTENER_NOT_FOUND' | 'LEADER_NOT_AVAILABLE'
}

export const currentClients: DescriptionRules = {
  hideUnreachableReplicas: false,
  leaderNotOnListener: 'LISTENER_NOT_FOUND',
}

export function describePartition(
  image: ClusterImage,
  partition: PartitionImage,
  view: ClientView,
  rules: DescriptionRules,
): PartitionDescription {
  const reachable = (ids: readonly number[]) =>
    rules.hideUnreachableReplicas ? ids.filter((id) => endpointOf(image, id, view) !== null) : ids
  const replicas = reachable(partition.replicas)
  const isr = reachable(partition.isr)
  const leaderReachable = endpointOf(image, partition.leader, view) !== null
  return {
    error: partitionError(image, partition, rules, leaderReachable, replicas.length, isr.length),
    partitionId: partition.partitionId,
    leader: leaderReachable ? partition.leader : -1,
    leaderEpoch: partition.leaderEpoch,
    replicas,
    isr,
    eligibleLeaderReplicas: partition.eligibleLeaderReplicas,
    lastKnownElr: partition.lastKnownElr,
    offlineReplicas: offlineReplicas(image, partition, view),
  }
}

function partitionError(
  image: ClusterImage,
  partition: PartitionImage,
  rules: DescriptionRules,
  leaderReachable: boolean,
  replicas: number,
  isr: number,
): ErrorName {
  if (!leaderReachable) return image.brokers.has(partition.leader) ? rules.leaderNotOnListener : 'LEADER_NOT_AVAILABLE'
  const hidden = replicas < partition.replicas.length || isr < partition.isr.length
  return hidden ? 'REPLICA_NOT_AVAILABLE' : 'NONE'
}

function offlineReplicas(image: ClusterImage, partition: PartitionImage, view: ClientView): readonly number[] {
  return partition.replicas.filter((id, index) => {
    const broker = image.brokers.get(id)
    if (!isAlive(broker, id, view) || endpointOf(image, id, view) === null) return true
    return broker !== undefined && !isOnline(partition.directories[index], broker)
  })
}

function isOnline(directory: Uuid | undefined, broker: BrokerImage): boolean {
  if (directory === undefined || directory === UNASSIGNED_DIRECTORY || directory === MIGRATING_DIRECTORY) return true
  if (directory === LOST_DIRECTORY) return false
  // A registration without directories (before KIP-858) says nothing about them.
  return broker.logDirs.length === 0 || broker.logDirs.includes(directory)
}
