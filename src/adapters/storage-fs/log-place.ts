import type { TopicPartition } from '../../domain/topic-partition.ts'
import type { Uuid } from '../../domain/uuid.ts'

/** Whose log it is and where it lies. */
export interface LogPlace {
  readonly partition: TopicPartition
  readonly topicId: Uuid
  /** The log directory. */
  readonly directory: string
  /** The partition's own folder in it. */
  readonly folder: string
}
