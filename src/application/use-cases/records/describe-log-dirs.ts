/**
 * DescribeLogDirs (KIP-113, KIP-827): the log directories, their space, and the partitions in them with their sizes.
 *
 * Partitions and topics that do not exist are left out, as Kafka does. A copy that is on its way to another directory
 * (KIP-113) is listed there, as a future replica.
 */
import type { ErrorName } from '../../../domain/errors.ts'
import type { TopicPartition } from '../../../domain/topic-partition.ts'
import type { FutureReplica, PartitionDirectory, ReadablePartition } from '../../partition.ts'
import type { LogStore } from '../../ports/log-store.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

/** Every directory, in the config that names the cordoned ones. */
const ALL_DIRECTORIES = '*'
const UNKNOWN_BYTES = -1n

export interface DescribeLogDirsSettings {
  /** `cordoned.log.dirs`: absolute paths, or `*`. */
  readonly cordonedLogDirs: readonly string[]
}

export interface DescribeLogDirsCommand {
  /** null = all. */
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | null
}

export interface DescribedLogDir {
  readonly error: ErrorName
  readonly logDir: string
  readonly topics: readonly DescribedLogDirTopic[]
  /** -1 = unknown. */
  readonly totalBytes: bigint
  readonly usableBytes: bigint
  readonly isCordoned: boolean
}

export interface DescribedLogDirTopic {
  readonly name: string
  readonly partitions: readonly DescribedReplica[]
}

interface DescribedReplica {
  readonly partitionIndex: number
  readonly sizeBytes: number
  /** How far a future replica is behind; the replica itself is never behind, for it is the only one. */
  readonly offsetLag: bigint
  readonly isFuture: boolean
}

export class DescribeLogDirs {
  readonly #partitions: PartitionDirectory
  readonly #logStore: LogStore
  readonly #metadata: MetadataRepository
  readonly #settings: () => DescribeLogDirsSettings
  readonly #future: (partition: TopicPartition) => FutureReplica | null

  constructor(
    partitions: PartitionDirectory,
    logStore: LogStore,
    metadata: MetadataRepository,
    settings: () => DescribeLogDirsSettings,
    future: (partition: TopicPartition) => FutureReplica | null = () => null,
  ) {
    this.#future = future
    this.#partitions = partitions
    this.#logStore = logStore
    this.#metadata = metadata
    this.#settings = settings
  }

  async execute(command: DescribeLogDirsCommand): Promise<readonly DescribedLogDir[]> {
    const found = command.topics === null ? this.#all() : this.#named(command.topics)
    await Promise.all(found.map((partition) => partition.whenOpen()))
    const byDirectory = group(
      found.filter((partition) => partition.state === 'open'),
      this.#future,
    )
    const cordoned = this.#settings().cordonedLogDirs
    const directories = await this.#logStore.directories()
    return directories.map(({ path, online, totalBytes, usableBytes }) => {
      const isCordoned = cordoned.includes(ALL_DIRECTORIES) || cordoned.includes(path)
      if (!online) {
        const unknown = { totalBytes: UNKNOWN_BYTES, usableBytes: UNKNOWN_BYTES, isCordoned: false }
        return { error: 'KAFKA_STORAGE_ERROR', logDir: path, topics: [], ...unknown }
      }
      return { error: 'NONE', logDir: path, topics: byDirectory.get(path) ?? [], totalBytes, usableBytes, isCordoned }
    })
  }

  #all(): ReadablePartition[] {
    const { topicsByName } = this.#metadata.image()
    return [...topicsByName.values()].flatMap(({ name, partitions }) =>
      partitions.flatMap(({ partitionId }) => this.#partitions.find(name, partitionId) ?? []),
    )
  }

  #named(topics: NonNullable<DescribeLogDirsCommand['topics']>): ReadablePartition[] {
    const found = new Set<ReadablePartition>()
    for (const { topic, partitions } of topics) {
      for (const partition of partitions) {
        const one = this.#partitions.find(topic, partition)
        if (one !== null) found.add(one)
      }
    }
    return [...found]
  }
}

/** By directory, then by topic, in the order given. */
function group(
  partitions: readonly ReadablePartition[],
  futureOf: (partition: TopicPartition) => FutureReplica | null,
): Map<string, DescribedLogDirTopic[]> {
  const directories = new Map<string, Map<string, DescribedReplica[]>>()
  const add = (path: string, topic: string, replica: DescribedReplica): void => {
    const topics = directories.get(path) ?? new Map<string, DescribedReplica[]>()
    directories.set(path, topics)
    const replicas = topics.get(topic) ?? []
    topics.set(topic, replicas)
    replicas.push(replica)
  }
  for (const partition of partitions) {
    const { topic, partition: partitionIndex } = partition.topicPartition
    const sizeBytes = partition.sizeBytes()
    add(partition.directory(), topic, { partitionIndex, sizeBytes, offsetLag: 0n, isFuture: false })
    const future = futureOf(partition.topicPartition)
    if (future === null) continue
    const { directory, ...replica } = future
    add(directory, topic, { partitionIndex, ...replica, isFuture: true })
  }
  return new Map(
    [...directories].map(([path, topics]) => [path, [...topics].map(([name, list]) => ({ name, partitions: list }))]),
  )
}
