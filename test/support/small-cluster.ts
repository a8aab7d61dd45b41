/** Images of small clusters: brokers as asked for, and topics with one replica on broker 1. */
import { emptyImage, evolve } from '../../src/domain/cluster/cluster-evolution.ts'
import type { ClusterImage } from '../../src/domain/cluster/cluster-image.ts'
import type { MetadataRecord, RegisterBrokerRecord } from '../../src/domain/cluster/metadata-record.ts'

export const directory = 'BqqQBEZ0C1TPPzo4wCaxbA'

export function broker(brokerId: number, changes: Partial<RegisterBrokerRecord> = {}): RegisterBrokerRecord {
  return {
    type: 'RegisterBrokerRecord',
    brokerId,
    isMigratingZkBroker: false,
    incarnationId: 'paWiFhVyTImrrxFgoNS7Dg',
    brokerEpoch: 0n,
    endPoints: [{ name: 'PLAINTEXT', host: `host${brokerId}`, port: 9092, securityProtocol: 0 }],
    features: [],
    rack: null,
    fenced: false,
    inControlledShutdown: false,
    logDirs: [directory],
    cordonedLogDirs: null,
    ...changes,
  }
}

export function partitionRecord(topicId: string, partitionId: number, replicas: readonly number[] = [1]) {
  return {
    type: 'PartitionRecord',
    partitionId,
    topicId,
    replicas,
    isr: replicas,
    removingReplicas: [],
    addingReplicas: [],
    leader: replicas[0]!,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: replicas.map(() => directory),
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  } as const satisfies MetadataRecord
}

/** The id of a topic that `clusterWith` makes. */
export function topicIdOf(name: string): string {
  return name.replaceAll(/[._]/g, '-').padEnd(22, '0')
}

export function clusterWith(
  brokers: readonly RegisterBrokerRecord[],
  topics: Readonly<Record<string, number>> = {},
  more: readonly MetadataRecord[] = [],
): ClusterImage {
  const made = Object.entries(topics).flatMap(([name, partitions]): MetadataRecord[] => [
    { type: 'TopicRecord', name, topicId: topicIdOf(name) },
    ...Array.from({ length: partitions }, (_, partition) => partitionRecord(topicIdOf(name), partition)),
  ])
  return evolve(emptyImage('SmallClusterAAAAAAAAAA'), [...brokers, ...made, ...more])
}
