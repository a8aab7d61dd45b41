/** AlterPartitionReassignments (KIP-455): changes which brokers hold partitions, or takes such a change back. */
import type { ErrorName } from '../../../domain/errors.ts'
import {
  decideReassignments,
  type ReassignedTopic,
  type ReassignmentAnswer,
  type WantedReplicas,
} from '../../../domain/cluster/partition-reassignment.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface AlterPartitionReassignmentsCommand {
  readonly topics: readonly ReassignedTopic<WantedReplicas>[]
  readonly allowReplicationFactorChange: boolean
  /** Below 1 nothing is tried: Kafka's controller finds the request expired. */
  readonly timeoutMs: number
}

export interface AlteredReassignments {
  readonly error: ErrorName
  readonly topics: readonly ReassignedTopic<ReassignmentAnswer>[]
}

export class AlterPartitionReassignments {
  readonly #metadata: MetadataRepository

  constructor(metadata: MetadataRepository) {
    this.#metadata = metadata
  }

  async execute(command: AlterPartitionReassignmentsCommand): Promise<AlteredReassignments> {
    const { topics, allowReplicationFactorChange, timeoutMs } = command
    if (timeoutMs <= 0 && topics.length > 0) {
      const error = 'REQUEST_TIMED_OUT'
      const expired = topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, error, message: null }) as const),
      }))
      return { error, topics: expired }
    }
    const decided = await this.#metadata.commit((image) =>
      decideReassignments(image, topics, allowReplicationFactorChange),
    )
    return { error: 'NONE', topics: decided }
  }
}
