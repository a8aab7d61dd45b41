/**
 * Creating topics: which of a request's topics are refused and why, and the records of the others. All of them are one
 * decision: good topics are created together, bad ones do not hinder them; only a request that is too large is refused
 * as a whole. Checks run in the order of Kafka's controller, because a topic with two mistakes gets the first one's
 * error. Replies follow the order of the request, then names given twice, then the metadata topic.
 */
import { validateTopicConfigs } from '../config/topic-rules.ts'
import type { Uuid } from '../uuid.ts'
import type { ClusterImage } from './cluster-image.ts'
import { configResourceCodes } from './cluster-evolution.ts'
import type { MetadataRecord } from './metadata-record.ts'
import type { Placed, Refusal } from './placement.ts'
import { assignmentProblem, newPartitionRecord, placePartitions, refusal } from './placement.ts'
import { CollidingNames, METADATA_TOPIC, topicNameProblem } from './topic-name.ts'

export interface NewTopic {
  readonly name: string
  /** -1 = the broker's default, or as many as `assignments` names. */
  readonly numPartitions: number
  /** -1 = the broker's default, or as `assignments` says. */
  readonly replicationFactor: number
  /** Replicas by partition; empty = the controller chooses. */
  readonly assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[]
  /** Of two values for one name the last counts. */
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

export interface TopicCreationRules {
  /** `num.partitions`. */
  readonly numPartitions: number
  /** `default.replication.factor`. */
  readonly defaultReplicationFactor: number
  /** Draws an id that no topic has. */
  readonly newTopicId: () => Uuid
}

export interface CreatedTopic {
  readonly name: string
  readonly error: 'NONE'
  readonly topicId: Uuid
  readonly numPartitions: number
  readonly replicationFactor: number
  /** What was set on the topic itself. */
  readonly configs: ReadonlyMap<string, string>
}

export interface RefusedTopic extends Refusal {
  readonly name: string
}

export type TopicCreationAnswer = CreatedTopic | RefusedTopic

export interface TopicCreation {
  readonly records: readonly MetadataRecord[]
  readonly answer: readonly TopicCreationAnswer[]
}

/** Partitions that one request may ask for, and records that one may lead to. */
const REQUEST_MAX = 10_000

export function decideTopicCreation(
  image: ClusterImage,
  topics: readonly NewTopic[],
  rules: TopicCreationRules,
): TopicCreation {
  const { single, repeated } = separateRepeated(topics.map(({ name }) => name))
  const asked = topics.filter(({ name }) => single.has(name) && name !== METADATA_TOPIC)
  if (partitionsAskedFor(asked, rules) > REQUEST_MAX) {
    return refuseAll(topics, 'Excessively large number of partitions per request.')
  }
  const colliding = new CollidingNames(image.topicsByName)
  const records: MetadataRecord[] = []
  const answer: TopicCreationAnswer[] = []
  for (const topic of asked) {
    const created = createTopic(image, topic, colliding, rules)
    if ('refusal' in created) {
      answer.push({ name: topic.name, ...created.refusal })
      continue
    }
    for (const record of created.records) records.push(record)
    answer.push(created.topic)
    if (records.length > REQUEST_MAX) return refuseAll(topics, 'Unable to perform excessively large batch operation.')
  }
  for (const name of repeated) answer.push({ name, error: 'INVALID_REQUEST', message: 'Duplicate topic name.' })
  if (single.has(METADATA_TOPIC)) {
    const message = `Creation of internal topic ${METADATA_TOPIC} is prohibited.`
    answer.push({ name: METADATA_TOPIC, error: 'INVALID_REQUEST', message })
  }
  return { records, answer }
}

/** The names that occur once and those that occur more often, each once and in the order of their first mention. */
export function separateRepeated<Key>(keys: readonly Key[]): {
  readonly single: ReadonlySet<Key>
  readonly repeated: ReadonlySet<Key>
} {
  const single = new Set<Key>()
  const repeated = new Set<Key>()
  for (const key of keys) {
    if (repeated.has(key)) continue
    if (single.delete(key)) repeated.add(key)
    else single.add(key)
  }
  return { single, repeated }
}

function refuseAll(topics: readonly NewTopic[], message: string): TopicCreation {
  return { records: [], answer: topics.map(({ name }) => ({ name, error: 'POLICY_VIOLATION', message })) }
}

function partitionsAskedFor(topics: readonly NewTopic[], rules: TopicCreationRules): number {
  return topics.reduce((sum, { numPartitions, assignments }) => {
    if (assignments.length > 0) return sum + assignments.length
    return sum + (numPartitions === -1 ? rules.numPartitions : Math.max(0, numPartitions))
  }, 0)
}

type Creation =
  { readonly topic: CreatedTopic; readonly records: readonly MetadataRecord[] } | { readonly refusal: Refusal }

function createTopic(
  image: ClusterImage,
  topic: NewTopic,
  colliding: CollidingNames,
  rules: TopicCreationRules,
): Creation {
  const { name } = topic
  const nameProblem = topicNameProblem(name)
  if (nameProblem !== null) return refusal('INVALID_TOPIC_EXCEPTION', nameProblem)
  // Two new topics of one request may collide with each other: Kafka looks at existing ones only (observed on 4.3.1).
  const other = colliding.collision(name)
  if (other !== null) {
    return refusal('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${other}`)
  }
  if (image.topicsByName.has(name)) return refusal('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)

  const configProblem = validateTopicConfigs(topic.configs)
  if (configProblem !== null) return refusal('INVALID_CONFIG', configProblem)
  const configs = new Map(topic.configs.map((config) => [config.name, config.value!]))

  const placed = topic.assignments.length > 0 ? placeAsAssigned(image, topic) : placeByChoice(image, topic, rules)
  if ('refusal' in placed) return placed
  const topicId = rules.newTopicId()
  return {
    topic: {
      name,
      error: 'NONE',
      topicId,
      numPartitions: placed.replicas.length,
      replicationFactor: placed.replicas[0]!.length,
      configs,
    },
    records: [
      { type: 'TopicRecord', name, topicId },
      ...configRecords(image, name, configs),
      ...placed.replicas.map((replicas, partition) => newPartitionRecord(image, topicId, partition, replicas)),
    ],
  }
}

function placeByChoice(image: ClusterImage, topic: NewTopic, rules: TopicCreationRules): Placed {
  if (topic.replicationFactor !== -1 && topic.replicationFactor <= 0) {
    return refusal(
      'INVALID_REPLICATION_FACTOR',
      'Replication factor must be larger than 0, or -1 to use the default value.',
    )
  }
  if (topic.numPartitions !== -1 && topic.numPartitions <= 0) {
    return refusal('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.')
  }
  const numPartitions = topic.numPartitions === -1 ? rules.numPartitions : topic.numPartitions
  const replicationFactor = topic.replicationFactor === -1 ? rules.defaultReplicationFactor : topic.replicationFactor
  return placePartitions(image, 0, numPartitions, replicationFactor)
}

function placeAsAssigned(image: ClusterImage, topic: NewTopic): Placed {
  const clash = (what: string) =>
    refusal('INVALID_REQUEST', `A manual partition assignment was specified, but ${what} was not set to -1.`)
  if (topic.replicationFactor !== -1) return clash('replication factor')
  if (topic.numPartitions !== -1) return clash('numPartitions')
  const byPartition = new Map<number, readonly number[]>()
  let size: number | null = null
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (byPartition.has(partitionIndex)) {
      return refusal(
        'INVALID_REPLICA_ASSIGNMENT',
        `Found multiple manual partition assignments for partition ${partitionIndex}`,
      )
    }
    const problem = assignmentProblem(image, partitionIndex, brokerIds, size)
    if (problem !== null) return { refusal: problem }
    byPartition.set(partitionIndex, brokerIds)
    size = brokerIds.length
  }
  const replicas = Array.from(byPartition, (_, partition) => byPartition.get(partition))
  if (!replicas.every((ids) => ids !== undefined)) {
    return refusal('INVALID_REPLICA_ASSIGNMENT', 'partitions should be a consecutive 0-based integer sequence')
  }
  return { replicas }
}

function configRecords(
  image: ClusterImage,
  topic: string,
  configs: ReadonlyMap<string, string>,
): readonly MetadataRecord[] {
  const records: MetadataRecord[] = Array.from(configs, ([name, value]) => ({
    type: 'ConfigRecord',
    resourceType: configResourceCodes.TOPIC,
    resourceName: topic,
    name,
    value,
  }))
  // KIP-966: what was eligible under another minimum no longer is. Kafka writes it for a new topic too.
  if (configs.has('min.insync.replicas') && (image.features.get('eligible.leader.replicas.version') ?? 0) > 0) {
    records.push({ type: 'ClearElrRecord', topicName: topic })
  }
  return records
}
