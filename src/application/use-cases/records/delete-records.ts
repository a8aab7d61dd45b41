/**
 * DeleteRecords (KIP-107): moves the log start offset up, so that everything before it is gone. On topics that only
 * compact and on internal topics it is refused. A single node answers at once: there is no replica to wait for.
 */
import type { CleanupPolicy } from '../../../domain/config/topic-config.ts'
import { isInternalTopic } from '../../../domain/cluster/internal-topics.ts'
import type { ClusterImage } from '../../../domain/cluster/cluster-image.ts'
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import type { PartitionDirectory } from '../../partition.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import { openPartition } from './readable.ts'

/** "Up to the high watermark." */
const HIGH_WATERMARK = -1n
/** With every error. */
const NO_LOW_WATERMARK = -1n

export interface DeleteRecordsCommand {
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      /** The first offset to keep; -1 = everything goes. */
      readonly offset: bigint
    }[]
  }[]
}

export interface DeletedRecords {
  readonly partitionIndex: number
  readonly error: ErrorName
  /** The first offset that is left. */
  readonly lowWatermark: bigint
}

export interface DeletedRecordsTopic {
  readonly name: string
  readonly partitions: readonly DeletedRecords[]
}

/** The effective configs of a topic. */
export interface CleanupPolicies {
  of(image: ClusterImage, topic: string): { readonly cleanupPolicy: CleanupPolicy }
}

export class DeleteRecords {
  readonly #partitions: PartitionDirectory
  readonly #metadata: MetadataRepository
  readonly #configs: CleanupPolicies

  constructor(partitions: PartitionDirectory, metadata: MetadataRepository, configs: CleanupPolicies) {
    this.#partitions = partitions
    this.#metadata = metadata
    this.#configs = configs
  }

  async execute(command: DeleteRecordsCommand): Promise<readonly DeletedRecordsTopic[]> {
    const topics: DeletedRecordsTopic[] = []
    for (const [name, asked] of byTopic(command)) {
      const partitions: DeletedRecords[] = []
      for (const [partitionIndex, offset] of asked) {
        const answer = await this.#delete(name, partitionIndex, offset)
        partitions.push(
          typeof answer === 'string'
            ? { partitionIndex, error: answer, lowWatermark: NO_LOW_WATERMARK }
            : { partitionIndex, error: 'NONE', lowWatermark: answer },
        )
      }
      topics.push({ name, partitions })
    }
    return topics
  }

  async #delete(topic: string, partitionIndex: number, offset: bigint): Promise<bigint | KafkaError> {
    const partition = await openPartition(this.#partitions, topic, partitionIndex)
    if (partition === 'UNKNOWN_TOPIC_OR_PARTITION') return partition
    if (isInternalTopic(topic)) return 'INVALID_TOPIC_EXCEPTION'
    if (typeof partition === 'string') return partition
    const { cleanupPolicy } = this.#configs.of(this.#metadata.image(), topic)
    if (cleanupPolicy.compact && !cleanupPolicy.delete) return 'POLICY_VIOLATION'
    const before = offset === HIGH_WATERMARK ? partition.highWatermark : offset
    if (before < 0n || before > partition.highWatermark) return 'OFFSET_OUT_OF_RANGE'
    const error = before > partition.logStartOffset ? await partition.trim(before) : null
    return error ?? partition.logStartOffset
  }
}

/** Kafka takes a partition that is named twice once, with the last offset. */
function byTopic(command: DeleteRecordsCommand): Map<string, Map<number, bigint>> {
  const all = new Map<string, Map<number, bigint>>()
  for (const topic of command.topics) {
    let partitions = all.get(topic.name)
    if (partitions === undefined) all.set(topic.name, (partitions = new Map<number, bigint>()))
    for (const { partitionIndex, offset } of topic.partitions) partitions.set(partitionIndex, offset)
  }
  return all
}
