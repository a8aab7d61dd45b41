/**
 * Creates topics. When the answer comes, the image shows the new topics, so that they can be used at once.
 * `create.topic.policy.class.name` is not supported: a policy is Java code.
 */
import type { CreatedTopicConfig } from '../../../domain/config/describe-config.ts'
import { createdTopicConfigs } from '../../../domain/config/describe-config.ts'
import type { BrokerConfig } from '../../../domain/config/broker-config.ts'
import type { CreatedTopic, NewTopic, RefusedTopic } from '../../../domain/cluster/topic-creation.ts'
import { decideTopicCreation } from '../../../domain/cluster/topic-creation.ts'
import type { Logger } from '../../ports/logger.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import type { Random } from '../../ports/random.ts'
import { logCreatedTopics, unusedTopicId } from './new-topics.ts'

export interface CreateTopicsSettings {
  readonly numPartitions: number
  readonly defaultReplicationFactor: number
  /** The broker's values, which a topic's own configs lie over. */
  readonly brokerConfig: BrokerConfig
}

export interface CreateTopicsCommand {
  readonly topics: readonly NewTopic[]
  /** Below 1 nothing is tried: Kafka's controller finds the request expired. */
  readonly timeoutMs: number
  /** Decide and answer, but create nothing. */
  readonly validateOnly: boolean
}

export type CreateTopicsResult = readonly (
  (Omit<CreatedTopic, 'configs'> & { readonly configs: readonly CreatedTopicConfig[] }) | RefusedTopic
)[]

export class CreateTopics {
  readonly #metadata: MetadataRepository
  readonly #random: Random
  readonly #logger: Logger
  readonly #settings: () => CreateTopicsSettings

  constructor(metadata: MetadataRepository, random: Random, logger: Logger, settings: () => CreateTopicsSettings) {
    this.#metadata = metadata
    this.#random = random
    this.#logger = logger
    this.#settings = settings
  }

  async execute({ topics, timeoutMs, validateOnly }: CreateTopicsCommand): Promise<CreateTopicsResult> {
    if (timeoutMs <= 0) return topics.map(({ name }) => ({ name, error: 'REQUEST_TIMED_OUT', message: null }))
    const { numPartitions, defaultReplicationFactor, brokerConfig } = this.#settings()
    const { answer, broker } = await this.#metadata.commit((image) => {
      const rules = { numPartitions, defaultReplicationFactor, newTopicId: () => unusedTopicId(image, this.#random) }
      const decided = decideTopicCreation(image, topics, rules)
      return {
        records: validateOnly ? [] : decided.records,
        answer: { answer: decided.answer, broker: brokerConfig.at(image) },
      }
    })
    if (!validateOnly) logCreatedTopics(answer, this.#logger)
    return answer.map((topic) =>
      topic.error === 'NONE' ? { ...topic, configs: createdTopicConfigs(topic.configs, broker) } : topic,
    )
  }
}
