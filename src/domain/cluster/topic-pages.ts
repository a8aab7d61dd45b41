/**
 * Topics and their partitions page by page (KIP-966): topics in the order of their names, a bounded number of
 * partitions in all, and a cursor to where the next page begins.
 */
import type { ErrorName } from '../errors.ts'
import { ZERO_UUID } from '../uuid.ts'
import type { Uuid } from '../uuid.ts'
import type { ClusterImage, TopicImage } from './cluster-image.ts'
import type { ClientView } from './endpoints.ts'
import type { PartitionDescription } from './topic-description.ts'
import { currentClients, describePartition } from './topic-description.ts'
import { topicNameProblem } from './topic-name.ts'

export interface TopicCursor {
  readonly topicName: string
  readonly partitionIndex: number
}

export interface TopicPageRequest {
  /** Empty = all topics. */
  readonly topics: readonly string[]
  readonly cursor: TopicCursor | null
  /** Partitions in all; below 1 counts as 1. */
  readonly partitionsMax: number
}

export interface PagedTopic {
  readonly error: ErrorName
  readonly name: string
  /** The zero uuid for a topic that does not exist. */
  readonly topicId: Uuid
  readonly partitions: readonly PartitionDescription[]
}

export type TopicPage =
  | { readonly topics: readonly PagedTopic[]; readonly next: TopicCursor | null }
  /** The whole request is refused, each of its topics with this error. */
  | { readonly refused: 'INVALID_REQUEST' }

export function topicPage(image: ClusterImage, request: TopicPageRequest, view: ClientView): TopicPage {
  const { cursor } = request
  const all = request.topics.length === 0
  if (cursor !== null) {
    if (cursor.partitionIndex < 0) return { refused: 'INVALID_REQUEST' }
    if (!all && !request.topics.includes(cursor.topicName)) return { refused: 'INVALID_REQUEST' }
  }
  const names = [...new Set(all ? image.topicsByName.keys() : request.topics)]
    .filter((name) => cursor === null || name >= cursor.topicName)
    .sort()
  const topics: PagedTopic[] = []
  let left = Math.max(1, request.partitionsMax)
  for (const name of names) {
    if (left === 0) return { topics, next: { topicName: name, partitionIndex: 0 } }
    const topic = image.topicsByName.get(name)
    if (topic === undefined) {
      topics.push({ error: unknownTopicError(name), name, topicId: ZERO_UUID, partitions: [] })
      continue
    }
    const from = cursor?.topicName === name ? cursor.partitionIndex : 0
    const partitions = partitionsFrom(image, topic, from, left, view)
    topics.push({ error: 'NONE', name, topicId: topic.id, partitions })
    left -= partitions.length
    const end = from + partitions.length
    if (end < topic.partitions.length) return { topics, next: { topicName: name, partitionIndex: end } }
  }
  return { topics, next: null }
}

/** Kafka answers UNKNOWN_SERVER_ERROR for every topic of a request with an empty name; here it is one illegal name. */
export function unknownTopicError(name: string): 'INVALID_TOPIC_EXCEPTION' | 'UNKNOWN_TOPIC_OR_PARTITION' {
  return topicNameProblem(name) === null ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION'
}

function partitionsFrom(
  image: ClusterImage,
  topic: TopicImage,
  from: number,
  count: number,
  view: ClientView,
): readonly PartitionDescription[] {
  return topic.partitions
    .slice(from, from + count)
    .map((partition) => describePartition(image, partition, view, currentClients))
}
