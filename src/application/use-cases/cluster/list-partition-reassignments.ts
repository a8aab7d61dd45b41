/** ListPartitionReassignments (KIP-455): the reassignments under way. A single node begins none that takes time. */
import {
  ongoingReassignments,
  type OngoingReassignment,
  type ReassignedTopic,
} from '../../../domain/cluster/partition-reassignment.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export class ListPartitionReassignments {
  readonly #metadata: MetadataRepository

  constructor(metadata: MetadataRepository) {
    this.#metadata = metadata
  }

  /** `asked`: partitions by topic; null = all. */
  execute(asked: readonly ReassignedTopic<number>[] | null): readonly ReassignedTopic<OngoingReassignment>[] {
    return ongoingReassignments(this.#metadata.image(), asked)
  }
}
