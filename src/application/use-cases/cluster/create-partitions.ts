/** Adds partitions to topics. When the answer comes, the image shows them. */
import type { MorePartitions, PartitionCreationAnswer } from '../../../domain/cluster/partition-creation.ts'
import { decidePartitionCreation } from '../../../domain/cluster/partition-creation.ts'
import type { Logger } from '../../ports/logger.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface CreatePartitionsCommand {
  readonly topics: readonly MorePartitions[]
  /** Below 1 nothing is tried: Kafka's controller finds the request expired. */
  readonly timeoutMs: number
  /** Decide and answer, but create nothing. */
  readonly validateOnly: boolean
}

export class CreatePartitions {
  readonly #metadata: MetadataRepository
  readonly #logger: Logger

  constructor(metadata: MetadataRepository, logger: Logger) {
    this.#metadata = metadata
    this.#logger = logger
  }

  async execute(command: CreatePartitionsCommand): Promise<readonly PartitionCreationAnswer[]> {
    const { topics, timeoutMs, validateOnly } = command
    if (timeoutMs <= 0) return topics.map(({ name }) => ({ name, error: 'REQUEST_TIMED_OUT', message: null }))
    const answer = await this.#metadata.commit((image) => {
      const decided = decidePartitionCreation(image, topics)
      return validateOnly ? { ...decided, records: [] } : decided
    })
    if (!validateOnly) {
      for (const { error, name } of answer) {
        if (error !== 'NONE') continue
        const partitions = topics.find((topic) => topic.name === name)?.count
        this.#logger.info('partitions created', { topic: name, partitions })
      }
    }
    return answer
  }
}
