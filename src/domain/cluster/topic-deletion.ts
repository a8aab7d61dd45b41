/**
 * Deleting topics, named by name or by id. Every mistake is answered for its own entry; answers come in the order in
 * which the request first mentions their topic (Kafka shuffles them).
 */
import { ZERO_UUID } from '../uuid.ts'
import type { Uuid } from '../uuid.ts'
import type { ErrorName } from '../errors.ts'
import type { ClusterImage, TopicImage } from './cluster-image.ts'
import { configsOf } from './cluster-image.ts'
import { configResourceCodes } from './cluster-evolution.ts'
import type { MetadataRecord } from './metadata-record.ts'
import { separateRepeated } from './topic-creation.ts'

/** A topic as a request names it: exactly one of both is given in a correct request. */
export interface TopicReference {
  readonly name: string | null
  /** The zero uuid = not given. */
  readonly topicId: Uuid
}

export interface TopicDeletionAnswer extends TopicReference {
  readonly error: ErrorName
  readonly message: string | null
}

export interface TopicDeletion {
  readonly records: readonly MetadataRecord[]
  readonly answer: readonly TopicDeletionAnswer[]
}

export function decideTopicDeletion(image: ClusterImage, references: readonly TopicReference[]): TopicDeletion {
  const names = separateRepeated(references.filter(isByName).map(({ name }) => name))
  const ids = separateRepeated(references.filter(isById).map(({ topicId }) => topicId))
  const records: MetadataRecord[] = []
  const answered = new Set<string>()
  const answer: TopicDeletionAnswer[] = []

  for (const reference of references) {
    const { name, topicId } = reference
    if (isByName(reference) || isById(reference)) {
      const key = name ?? topicId
      if (answered.has(key)) continue
      answered.add(key)
      const topic = name === null ? image.topicsById.get(topicId) : image.topicsByName.get(name)
      // One topic given by name and by id: its one answer is the name's.
      if (name === null && topic !== undefined && ids.single.has(topicId) && names.single.has(topic.name)) continue
      const mistake = mistakeIn(reference, topic, names.repeated, ids)
      if (mistake !== null) answer.push(mistake)
      else if (topic !== undefined) {
        for (const record of deletionRecords(image, topic)) records.push(record)
        answer.push({ name: topic.name, topicId: topic.id, error: 'NONE', message: null })
      }
    } else {
      const message =
        name === null
          ? 'Neither topic name nor id were specified.'
          : 'You may not specify both topic name and topic id.'
      answer.push({ name, topicId, error: 'INVALID_REQUEST', message })
    }
  }
  return { records, answer }
}

function isByName(reference: TopicReference): reference is TopicReference & { readonly name: string } {
  return reference.name !== null && reference.topicId === ZERO_UUID
}

function isById(reference: TopicReference): boolean {
  return reference.name === null && reference.topicId !== ZERO_UUID
}

function mistakeIn(
  { name, topicId }: TopicReference,
  topic: TopicImage | undefined,
  repeatedNames: ReadonlySet<string>,
  ids: { readonly single: ReadonlySet<Uuid>; readonly repeated: ReadonlySet<Uuid> },
): TopicDeletionAnswer | null {
  const mistake = (error: ErrorName, message: string): TopicDeletionAnswer => ({ name, topicId, error, message })
  if (name === null) {
    if (ids.repeated.has(topicId)) return mistake('INVALID_REQUEST', 'Duplicate topic id.')
    return topic === undefined ? mistake('UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.') : null
  }
  if (repeatedNames.has(name)) return mistake('INVALID_REQUEST', 'Duplicate topic name.')
  if (topic === undefined) {
    return mistake('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
  }
  if (ids.single.has(topic.id) || ids.repeated.has(topic.id)) {
    const message = 'The provided topic name maps to an ID that was already supplied.'
    return { name, topicId: topic.id, error: 'INVALID_REQUEST', message }
  }
  return null
}

/**
 * The configs go one by one before the topic: Kafka 4.3 writes the RemoveTopicRecord alone, and after a restart a new
 * topic of the same name finds the old one's configs in the log.
 */
function deletionRecords(image: ClusterImage, topic: TopicImage): readonly MetadataRecord[] {
  const tombstones = Array.from(configsOf(image, 'TOPIC', topic.name).keys(), (name) => ({
    type: 'ConfigRecord' as const,
    resourceType: configResourceCodes.TOPIC,
    resourceName: topic.name,
    name,
    value: null,
  }))
  return [...tombstones, { type: 'RemoveTopicRecord', topicId: topic.id }]
}
