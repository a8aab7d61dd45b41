/**
 * Takes partitions into transactions, or says which ones are in (`verifyOnly`), for several transactions at once. When
 * one partition of a transaction cannot be, none of it is taken in.
 */
import { isInternalTopic } from '../../../domain/cluster/internal-topics.ts'
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import type { TopicPartition } from '../../../domain/topic-partition.ts'
import type { PartitionEnrolment } from '../../partition-enrolment.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import type { EnrolCommand } from '../../transaction-enrolment.ts'

export interface AddPartitionsCommand {
  readonly transactions: readonly (EnrolCommand & { readonly verifyOnly: boolean })[]
  /** The broker form of the request (v4+), which goes with Transactions V2. */
  readonly knowsV2: boolean
}

/** In the order of the command: an error for each partition of each transaction. */
export type AddPartitionsResult = readonly (readonly ErrorName[])[]

export class AddPartitions {
  readonly #enrolment: PartitionEnrolment
  readonly #metadata: MetadataRepository

  constructor(enrolment: PartitionEnrolment, metadata: MetadataRepository) {
    this.#enrolment = enrolment
    this.#metadata = metadata
  }

  execute({ transactions, knowsV2 }: AddPartitionsCommand): Promise<AddPartitionsResult> {
    return Promise.all(transactions.map((each) => this.#add(each, knowsV2)))
  }

  async #add(command: AddPartitionsCommand['transactions'][number], knowsV2: boolean): Promise<readonly ErrorName[]> {
    const refused = command.partitions.map((each) => this.#refuse(each, knowsV2))
    if (refused.some((error) => error !== null)) return refused.map((error) => error ?? 'OPERATION_NOT_ATTEMPTED')
    const enrolled = command.verifyOnly
      ? this.#enrolment.verify(command)
      : await this.#enrolment.enrol(command, knowsV2)
    return enrolled.map((error) => error ?? 'NONE')
  }

  /** Clients write to no internal topic themselves, whoever they are. */
  #refuse({ topic, partition }: TopicPartition, fromBroker: boolean): KafkaError | null {
    if (!fromBroker && isInternalTopic(topic)) return 'TOPIC_AUTHORIZATION_FAILED'
    const exists = this.#metadata.image().topicsByName.get(topic)?.partitions[partition] !== undefined
    return exists ? null : 'UNKNOWN_TOPIC_OR_PARTITION'
  }
}
