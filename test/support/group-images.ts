/** Images with topics and one broker, for what groups see of a cluster. */
import { emptyImage } from '../../src/domain/cluster/cluster-evolution.ts'
import type { ClusterImage, PartitionImage, TopicImage } from '../../src/domain/cluster/cluster-image.ts'

const BROKER = 1

/** Topics by name; a number stands for so many partitions, with an id made of the name. */
export type GroupTopics = Readonly<Record<string, number | { readonly id: string; readonly partitions: number }>>

export function groupImage(topics: GroupTopics, rack: string | null = null, offset = 1n): ClusterImage {
  const all = Object.entries(topics).map(([name, shape]) => topicOf(name, shape))
  return {
    ...emptyImage('cluster'),
    offset,
    brokers: new Map([[BROKER, brokerIn(rack)]]),
    topicsByName: new Map(all.map((topic) => [topic.name, topic])),
    topicsById: new Map(all.map((topic) => [topic.id, topic])),
  }
}

/** The id that a topic gets when only its size was given. */
export function idOf(name: string): string {
  return name.padEnd(21, 'x') + 'A'
}

function topicOf(name: string, shape: GroupTopics[string]): TopicImage {
  const { id, partitions } = typeof shape === 'number' ? { id: idOf(name), partitions: shape } : shape
  return { name, id, partitions: Array.from({ length: partitions }, (_, partitionId) => partitionOf(partitionId)) }
}

function partitionOf(partitionId: number): PartitionImage {
  return {
    partitionId,
    replicas: [BROKER],
    isr: [BROKER],
    removingReplicas: [],
    addingReplicas: [],
    directories: [],
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    leader: BROKER,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
  }
}

function brokerIn(rack: string | null) {
  return {
    id: BROKER,
    epoch: 1n,
    incarnationId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    endPoints: [],
    features: [],
    rack,
    fenced: false,
    inControlledShutdown: false,
    logDirs: [],
    cordonedLogDirs: null,
  }
}
