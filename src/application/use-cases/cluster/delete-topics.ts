/**
 * Deletes topics together with their configs. Their logs are removed by whoever follows the image.
 */
import type { TopicDeletionAnswer, TopicReference } from '../../../domain/cluster/topic-deletion.ts'
import { decideTopicDeletion } from '../../../domain/cluster/topic-deletion.ts'
import type { Logger } from '../../ports/logger.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface DeleteTopicsSettings {
  readonly deleteTopicEnable: boolean
}

export interface DeleteTopicsCommand {
  readonly topics: readonly TopicReference[]
  /** Below 1 nothing is deleted: Kafka's controller finds the request expired. */
  readonly timeoutMs: number
}

export class DeleteTopics {
  readonly #metadata: MetadataRepository
  readonly #logger: Logger
  readonly #settings: () => DeleteTopicsSettings

  constructor(metadata: MetadataRepository, logger: Logger, settings: () => DeleteTopicsSettings) {
    this.#metadata = metadata
    this.#logger = logger
    this.#settings = settings
  }

  async execute({ topics, timeoutMs }: DeleteTopicsCommand): Promise<readonly TopicDeletionAnswer[]> {
    if (!this.#settings().deleteTopicEnable) {
      return topics.map((topic) => ({ ...topic, error: 'TOPIC_DELETION_DISABLED', message: null }))
    }
    if (timeoutMs <= 0) return topics.map((topic) => ({ ...topic, error: 'REQUEST_TIMED_OUT', message: null }))
    const answer = await this.#metadata.commit((image) => decideTopicDeletion(image, topics))
    for (const { error, name, topicId } of answer) {
      if (error === 'NONE') this.#logger.info('topic deleted', { topic: name, topicId })
    }
    return answer
  }
}
