/**
 * Adding partitions to topics. Each topic is decided for itself; what is already decided for the topics before it
 * counts against the records that one request may lead to.
 */
import type { ErrorName } from '../errors.ts'
import type { ClusterImage } from './cluster-image.ts'
import type { MetadataRecord } from './metadata-record.ts'
import type { Placed, Refusal } from './placement.ts'
import { assignmentProblem, newPartitionRecord, placePartitions, refusal } from './placement.ts'
import { separateRepeated } from './topic-creation.ts'

export interface MorePartitions {
  readonly name: string
  /** How many the topic shall have in all. */
  readonly count: number
  /** The replicas of each new partition; null = the controller chooses. */
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null
}

export interface PartitionCreationAnswer {
  readonly name: string
  readonly error: ErrorName
  readonly message: string | null
}

export interface PartitionCreation {
  readonly records: readonly MetadataRecord[]
  readonly answer: readonly PartitionCreationAnswer[]
}

/** Records that one request may lead to. */
const RECORDS_MAX = 10_000

export function decidePartitionCreation(image: ClusterImage, topics: readonly MorePartitions[]): PartitionCreation {
  const { single, repeated } = separateRepeated(topics.map(({ name }) => name))
  const records: MetadataRecord[] = []
  const answer: PartitionCreationAnswer[] = Array.from(repeated, (name) => ({
    name,
    error: 'INVALID_REQUEST',
    message: 'Duplicate topic name.',
  }))
  for (const topic of topics) {
    if (!single.has(topic.name)) continue
    const added = addPartitions(image, topic, RECORDS_MAX - records.length)
    if ('refusal' in added) {
      answer.push({ name: topic.name, ...added.refusal })
      continue
    }
    for (const record of added.records) records.push(record)
    answer.push({ name: topic.name, error: 'NONE', message: null })
  }
  return { records, answer }
}

function addPartitions(
  image: ClusterImage,
  { name, count, assignments }: MorePartitions,
  recordsLeft: number,
): { readonly records: readonly MetadataRecord[] } | { readonly refusal: Refusal } {
  const topic = image.topicsByName.get(name)
  if (topic === undefined) return refusal('UNKNOWN_TOPIC_OR_PARTITION', null)
  const present = topic.partitions.length
  if (count === present) return refusal('INVALID_PARTITIONS', `Topic already has ${present} partition(s).`)
  if (count < present) {
    return refusal(
      'INVALID_PARTITIONS',
      `The topic ${name} currently has ${present} partition(s); ${count} would not be an increase.`,
    )
  }
  const additional = count - present
  if (assignments !== null && assignments.length !== additional) {
    return refusal(
      'INVALID_REPLICA_ASSIGNMENT',
      `Attempted to add ${additional} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
    )
  }
  // Kafka answers UNKNOWN_SERVER_ERROR here and commits a part of the partitions (observed on 4.3.1).
  if (additional > recordsLeft) {
    return refusal('POLICY_VIOLATION', 'Unable to perform excessively large batch operation.')
  }
  const replicationFactor = topic.partitions[0]!.replicas.length
  const placed =
    assignments === null
      ? placePartitions(image, present, additional, replicationFactor)
      : placeAsAssigned(image, present, assignments, replicationFactor)
  if ('refusal' in placed) return placed
  return {
    records: placed.replicas.map((replicas, index) => newPartitionRecord(image, topic.id, present + index, replicas)),
  }
}

function placeAsAssigned(
  image: ClusterImage,
  from: number,
  assignments: readonly { readonly brokerIds: readonly number[] }[],
  replicationFactor: number,
): Placed {
  for (const [index, { brokerIds }] of assignments.entries()) {
    const problem = assignmentProblem(image, from + index, brokerIds, replicationFactor)
    if (problem !== null) return { refusal: problem }
  }
  return { replicas: assignments.map(({ brokerIds }) => brokerIds) }
}
