/**
 * Deletes topics together with their configs. Their logs are removed by whoever follows the image; the answer waits
 * until they are out of use, so that a broker that dies after it leaves no folder of a topic that is gone (a real
 * Kafka that dies soon after its answer finds the folder again and calls it stray).
 */
import type { TopicDeletionAnswer, TopicReference } from '../../../domain/cluster/topic-deletion.ts'
import { decideTopicDeletion } from '../../../domain/cluster/topic-deletion.ts'
import type { Uuid } from '../../../domain/uuid.ts'
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

/** Who removes the logs. */
export interface TopicRemoval {
  /** Resolves when no log of the deleted topic is in use any more; never rejects. */
  whenRemoved(topicId: Uuid): Promise<void>
}

export class DeleteTopics {
  readonly #metadata: MetadataRepository
  readonly #removal: TopicRemoval
  readonly #logger: Logger
  readonly #settings: () => DeleteTopicsSettings

  constructor(
    metadata: MetadataRepository,
    removal: TopicRemoval,
    logger: Logger,
    settings: () => DeleteTopicsSettings,
  ) {
    this.#metadata = metadata
    this.#removal = removal
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
    const deleted = answer.filter(({ error }) => error === 'NONE')
    await Promise.all(deleted.map(({ topicId }) => this.#removal.whenRemoved(topicId)))
    return answer
  }
}
