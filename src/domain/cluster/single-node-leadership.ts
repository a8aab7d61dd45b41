/**
 * What a KRaft controller decides when the only node of a cluster comes and goes: which partitions it leads.
 *
 * Observed on Kafka 4.3.1: a clean stop takes the leader and, with eligible leader replicas on (KIP-966), the ISR from
 * each partition; the next start gives them back. After a crash the partitions change hands too, so that clients see
 * a new leader epoch and check what they have read (KIP-320).
 */
import { ENTER_CONTROLLED_SHUTDOWN, FENCE, UNFENCE } from './broker-evolution.ts'
import type { ClusterImage, PartitionImage } from './cluster-image.ts'
import type { BrokerRegistrationChangeRecord, MetadataRecord, PartitionChangeRecord } from './metadata-record.ts'
import { RECOVERY_STATE_STAYS, unchangedPartition } from './topic-evolution.ts'
import type { Uuid } from '../uuid.ts'

const NO_LEADER = -1
const RECOVERING = 1

/** Whether the node's last run ended without saying so. */
export function endedUncleanly(image: ClusterImage, nodeId: number): boolean {
  return image.brokers.get(nodeId)?.fenced === false
}

/**
 * Unfences the node, fences every other broker (they are gone: this one is alone) and makes it the leader of each
 * partition of which it holds a replica. Partitions that it leads already stay as they are, unless `uncleanly`.
 */
export function decideTakeover(
  image: ClusterImage,
  {
    nodeId,
    brokerEpoch,
    uncleanly,
  }: { readonly nodeId: number; readonly brokerEpoch: bigint; readonly uncleanly: boolean },
): readonly MetadataRecord[] {
  const records: MetadataRecord[] = [registrationChange(nodeId, brokerEpoch, { fenced: UNFENCE })]
  for (const broker of image.brokers.values()) {
    if (broker.id !== nodeId && !broker.fenced) {
      records.push(registrationChange(broker.id, broker.epoch, { fenced: FENCE }))
    }
  }
  for (const topic of image.topicsById.values()) {
    for (const partition of topic.partitions) {
      if (!partition.replicas.includes(nodeId) || (partition.leader === nodeId && !uncleanly)) continue
      records.push(takenOver(topic.id, partition, nodeId))
    }
  }
  return records
}

function takenOver(topicId: Uuid, partition: PartitionImage, nodeId: number): PartitionChangeRecord {
  const { isr, eligibleLeaderReplicas, lastKnownElr } = partition
  const complete = isr.includes(nodeId) || eligibleLeaderReplicas.includes(nodeId)
  return {
    ...unchangedPartition(topicId, partition.partitionId),
    leader: nodeId,
    isr: isr.length === 1 && isr[0] === nodeId ? null : [nodeId],
    eligibleLeaderReplicas: eligibleLeaderReplicas.length > 0 ? [] : null,
    lastKnownElr: lastKnownElr.length > 0 ? [] : null,
    leaderRecoveryState: complete ? RECOVERY_STATE_STAYS : RECOVERING,
  }
}

/** The two commits of a clean stop: controlled shutdown with everything that it moves, then the fence. */
export function decideDeparture(image: ClusterImage, nodeId: number): readonly (readonly MetadataRecord[])[] {
  const broker = image.brokers.get(nodeId)
  if (broker === undefined || broker.fenced) return []
  const elr = (image.features.get('eligible.leader.replicas.version') ?? 0) > 0
  const inControlledShutdown = ENTER_CONTROLLED_SHUTDOWN
  const leaving: MetadataRecord[] = [registrationChange(nodeId, broker.epoch, { inControlledShutdown })]
  for (const topic of image.topicsById.values()) {
    for (const partition of topic.partitions) {
      if (partition.leader !== nodeId) continue
      const change = { ...unchangedPartition(topic.id, partition.partitionId), leader: NO_LEADER }
      leaving.push(elr ? { ...change, isr: [], eligibleLeaderReplicas: [nodeId], lastKnownElr: [nodeId] } : change)
    }
  }
  return [leaving, [registrationChange(nodeId, broker.epoch, { fenced: FENCE })]]
}

function registrationChange(
  brokerId: number,
  brokerEpoch: bigint,
  change: Partial<Pick<BrokerRegistrationChangeRecord, 'fenced' | 'inControlledShutdown'>>,
): BrokerRegistrationChangeRecord {
  return {
    type: 'BrokerRegistrationChangeRecord',
    brokerId,
    brokerEpoch,
    fenced: 0,
    inControlledShutdown: 0,
    logDirs: [],
    cordonedLogDirs: null,
    ...change,
  }
}
