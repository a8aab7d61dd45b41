/** Tells a client the partitions of topics, page by page. */
import { ALL_TOPIC_OPERATIONS } from '../../../domain/cluster/authorized-operations.ts'
import type { ClientAddress, EndpointSettings } from '../../../domain/cluster/endpoints.ts'
import { clientView } from '../../../domain/cluster/endpoints.ts'
import { isInternalTopic } from '../../../domain/cluster/internal-topics.ts'
import type { PagedTopic, TopicCursor } from '../../../domain/cluster/topic-pages.ts'
import { topicPage } from '../../../domain/cluster/topic-pages.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface DescribeTopicPartitionsSettings extends EndpointSettings {
  /** `max.request.partition.size.limit`: no page is larger, whatever the client asks for. */
  readonly maxRequestPartitionSizeLimit: number
}

export interface DescribeTopicPartitionsCommand {
  readonly client: ClientAddress
  /** Empty = all topics. */
  readonly topics: readonly string[]
  readonly responsePartitionLimit: number
  /** Where the last page ended, null for the first. */
  readonly cursor: TopicCursor | null
}

export interface DescribedTopic extends PagedTopic {
  readonly isInternal: boolean
  readonly authorizedOperations: number
}

export type DescribeTopicPartitionsResult =
  | { readonly topics: readonly DescribedTopic[]; readonly next: TopicCursor | null }
  /** The whole request is refused, each of its topics with this error. */
  | { readonly refused: 'INVALID_REQUEST' }

export class DescribeTopicPartitions {
  readonly #metadata: MetadataRepository
  readonly #settings: () => DescribeTopicPartitionsSettings

  constructor(metadata: MetadataRepository, settings: () => DescribeTopicPartitionsSettings) {
    this.#metadata = metadata
    this.#settings = settings
  }

  execute(command: DescribeTopicPartitionsCommand): DescribeTopicPartitionsResult {
    const settings = this.#settings()
    const { topics, cursor } = command
    const partitionsMax = Math.min(command.responsePartitionLimit, settings.maxRequestPartitionSizeLimit)
    const view = clientView(settings, command.client)
    const page = topicPage(this.#metadata.image(), { topics, cursor, partitionsMax }, view)
    if ('refused' in page) return page
    const described = page.topics.map((topic) => ({
      ...topic,
      isInternal: isInternalTopic(topic.name),
      authorizedOperations: ALL_TOPIC_OPERATIONS,
    }))
    return { topics: described, next: page.next }
  }
}
