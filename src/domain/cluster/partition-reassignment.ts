/**
 * Partition reassignments (KIP-455) on a cluster of one node: which brokers hold a partition.
 *
 * Nothing can be copied to another broker, so that no reassignment takes time here: one that keeps, reorders or removes
 * replicas is complete at once, one that adds a replica is refused, where Kafka would begin it and wait. Those that
 * another cluster began in the directory are listed and can be cancelled.
 */
import type { ErrorName } from '../errors.ts'
import type { ClusterImage, PartitionImage, TopicImage } from './cluster-image.ts'
import type { MetadataRecord } from './metadata-record.ts'
import { metadataVersionAllows } from './metadata-version.ts'
import { assignmentProblem, refusal, type Refusal } from './placement.ts'
import { NO_LEADER_CHANGE, unchangedPartition } from './topic-evolution.ts'

export interface WantedReplicas {
  readonly partitionIndex: number
  /** null = cancel the reassignment that is under way. */
  readonly replicas: readonly number[] | null
}

export interface ReassignedTopic<Partition> {
  readonly name: string
  readonly partitions: readonly Partition[]
}

export interface ReassignmentAnswer {
  readonly partitionIndex: number
  readonly error: ErrorName
  readonly message: string | null
}

export interface Reassignments {
  readonly records: readonly MetadataRecord[]
  readonly answer: readonly ReassignedTopic<ReassignmentAnswer>[]
}

type Decided = { readonly record: MetadataRecord | null } | { readonly refusal: Refusal }

/** @param allowFactorChange KIP-860; false = refuse what changes the number of replicas */
export function decideReassignments(
  image: ClusterImage,
  topics: readonly ReassignedTopic<WantedReplicas>[],
  allowFactorChange: boolean,
): Reassignments {
  const records: MetadataRecord[] = []
  const answer = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }): ReassignmentAnswer => {
      const decided = reassign(image, name, { partitionIndex, replicas }, allowFactorChange)
      if ('refusal' in decided) return { partitionIndex, ...decided.refusal }
      if (decided.record !== null) records.push(decided.record)
      return { partitionIndex, error: 'NONE', message: null }
    }),
  }))
  return { records, answer }
}

function reassign(
  image: ClusterImage,
  name: string,
  { partitionIndex, replicas }: WantedReplicas,
  allowFactorChange: boolean,
): Decided {
  const topic = image.topicsByName.get(name)
  if (topic === undefined) return refusal('UNKNOWN_TOPIC_OR_PARTITION', `Unable to find a topic named ${name}.`)
  const partition = topic.partitions[partitionIndex]
  if (partition === undefined) {
    return refusal('UNKNOWN_TOPIC_OR_PARTITION', `Unable to find partition ${name}:${partitionIndex}.`)
  }
  const before = partition.replicas.filter((id) => !partition.addingReplicas.includes(id))
  if (replicas === null) {
    if (!isReassigned(partition)) return refusal('NO_REASSIGNMENT_IN_PROGRESS', null)
    return settle(image, topic, partition, before)
  }
  const problem = assignmentProblem(image, partitionIndex, replicas, null)
  if (problem !== null) return { refusal: problem }
  if (!allowFactorChange && replicas.length !== before.length) {
    const change = `The replication factor is changed from ${before.length} to ${replicas.length}`
    return refusal('INVALID_REPLICATION_FACTOR', change)
  }
  const added = replicas.find((id) => !partition.replicas.includes(id))
  if (added !== undefined) {
    return refusal(
      'INVALID_REPLICA_ASSIGNMENT',
      `Partition ${name}:${partitionIndex} has no replica on broker ${added}, and a cluster of one node cannot copy one there.`,
    )
  }
  return settle(image, topic, partition, replicas)
}

/** `replicas` are what is left; nothing is under way any more. */
function settle(
  image: ClusterImage,
  { id, name }: TopicImage,
  partition: PartitionImage,
  replicas: readonly number[],
): Decided {
  if (!isReassigned(partition) && replicas.every((one, at) => one === partition.replicas[at])) {
    if (replicas.length === partition.replicas.length) return { record: null }
  }
  const isr = partition.isr.filter((one) => replicas.includes(one))
  if (isr.length === 0) {
    return refusal(
      'INVALID_REPLICA_ASSIGNMENT',
      `None of the replicas left to ${name}:${partition.partitionId} is in sync.`,
    )
  }
  // fencing of a removed replica: Kafka raises the leader epoch when one goes
  const removes = partition.replicas.some((one) => !replicas.includes(one))
  const leader = isr.includes(partition.leader) ? partition.leader : isr[0]!
  const directories = metadataVersionAllows(image.features.get('metadata.version') ?? 0, 'directories')
    ? replicas.map((one) => partition.directories[partition.replicas.indexOf(one)]!)
    : null
  const unchanged = unchangedPartition(id, partition.partitionId)
  const record: MetadataRecord = {
    ...{ ...unchanged, isr, replicas, directories, removingReplicas: [], addingReplicas: [] },
    leader: removes || leader !== partition.leader ? leader : NO_LEADER_CHANGE,
  }
  return { record }
}

export interface OngoingReassignment {
  readonly partitionIndex: number
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

/** Those under way of the partitions asked for, null = of all; what does not exist is passed over. */
export function ongoingReassignments(
  image: ClusterImage,
  asked: readonly ReassignedTopic<number>[] | null,
): readonly ReassignedTopic<OngoingReassignment>[] {
  const ofTopic = (name: string, partitions: readonly (PartitionImage | undefined)[]) => ({
    name,
    partitions: partitions.flatMap((one) =>
      one === undefined || !isReassigned(one)
        ? []
        : [
            {
              partitionIndex: one.partitionId,
              replicas: one.replicas,
              addingReplicas: one.addingReplicas,
              removingReplicas: one.removingReplicas,
            },
          ],
    ),
  })
  const topics =
    asked === null
      ? [...image.topicsByName.values()].map(({ name, partitions }) => ofTopic(name, partitions))
      : asked.map(({ name, partitions }) => {
          const known = image.topicsByName.get(name)?.partitions ?? []
          return ofTopic(
            name,
            partitions.map((index) => known[index]),
          )
        })
  return topics.filter(({ partitions }) => partitions.length > 0)
}

function isReassigned({ addingReplicas, removingReplicas }: PartitionImage): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0
}
