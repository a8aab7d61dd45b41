/** Takes the offsets of a group into a transaction: the partition of `__consumer_offsets` that keeps them. */
import { partitionForKey } from '../../../domain/cluster/coordinator-key.ts'
import { CONSUMER_OFFSETS_TOPIC } from '../../../domain/cluster/internal-topics.ts'
import type { ErrorName } from '../../../domain/errors.ts'
import type { PartitionEnrolment } from '../../partition-enrolment.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface AddOffsetsCommand {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly groupId: string
}

export interface AddOffsetsSettings {
  /** How many partitions the topic will have once a group is looked for. */
  readonly offsetsTopicNumPartitions: number
}

export class AddOffsets {
  readonly #enrolment: PartitionEnrolment
  readonly #metadata: MetadataRepository
  readonly #settings: () => AddOffsetsSettings

  constructor(enrolment: PartitionEnrolment, metadata: MetadataRepository, settings: () => AddOffsetsSettings) {
    this.#enrolment = enrolment
    this.#metadata = metadata
    this.#settings = settings
  }

  async execute({ groupId, ...producer }: AddOffsetsCommand): Promise<ErrorName> {
    const topic = this.#metadata.image().topicsByName.get(CONSUMER_OFFSETS_TOPIC)
    const count = topic?.partitions.length ?? this.#settings().offsetsTopicNumPartitions
    const partition = { topic: CONSUMER_OFFSETS_TOPIC, partition: partitionForKey(groupId, count) }
    const [error] = await this.#enrolment.enrol({ ...producer, partitions: [partition] }, false)
    return error ?? 'NONE'
  }
}
