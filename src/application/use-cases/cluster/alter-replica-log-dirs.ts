/**
 * AlterReplicaLogDirs (KIP-113): begins to move replicas of this broker to other log directories of it, and answers
 * before they are there.
 *
 * A partition that does not exist is refused, and yet created in the wanted directory later, as Kafka does.
 */
import type { KafkaError } from '../../../domain/errors.ts'
import { topicPartitionKey, type TopicPartition } from '../../../domain/topic-partition.ts'
import type { Partitions } from '../../partitions.ts'
import type { LogStore } from '../../ports/log-store.ts'
import type { ReplicaMoves } from '../../replica-moves.ts'

export interface WantedDirectory extends TopicPartition {
  /** Absolute path of the log directory. */
  readonly path: string
}

export interface AlteredReplica extends TopicPartition {
  readonly error: KafkaError | null
}

/** What a file system takes as a name. */
const FOLDER_NAME_MAX = 255
/** Of `.`, the unique hexadecimal digits and `-future`. */
const FUTURE_SUFFIX_LENGTH = 1 + 32 + '-future'.length

export class AlterReplicaLogDirs {
  readonly #partitions: Partitions
  readonly #logStore: LogStore
  readonly #moves: ReplicaMoves

  constructor(partitions: Partitions, logStore: LogStore, moves: ReplicaMoves) {
    this.#partitions = partitions
    this.#logStore = logStore
    this.#moves = moves
  }

  /** Of a partition that is named twice the last directory counts. */
  async execute(wanted: readonly WantedDirectory[]): Promise<readonly AlteredReplica[]> {
    const last = new Map(wanted.map((one) => [topicPartitionKey(one.topic, one.partition), one]))
    const online = new Map((await this.#logStore.directories()).map(({ path, online }) => [path, online]))
    const altered: AlteredReplica[] = []
    for (const one of last.values()) {
      altered.push({ topic: one.topic, partition: one.partition, error: await this.#alter(one, online.get(one.path)) })
    }
    return altered
  }

  async #alter({ topic, partition, path }: WantedDirectory, online: boolean | undefined): Promise<KafkaError | null> {
    const folder = topicPartitionKey(topic, partition)
    if (folder.length + FUTURE_SUFFIX_LENGTH > FOLDER_NAME_MAX) return 'INVALID_TOPIC_EXCEPTION'
    if (online === undefined) return 'LOG_DIR_NOT_FOUND'
    if (!online) return 'KAFKA_STORAGE_ERROR'
    const hosted = this.#partitions.find(topic, partition)
    if (hosted === null) {
      this.#logStore.copies?.prefer({ topic, partition }, path)
      return 'UNKNOWN_TOPIC_OR_PARTITION'
    }
    await hosted.whenOpen()
    if (hosted.state !== 'open') return 'KAFKA_STORAGE_ERROR'
    return await this.#moves.move(hosted, path)
  }
}
