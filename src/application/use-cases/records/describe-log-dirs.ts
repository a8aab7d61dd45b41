/**
 * DescribeLogDirs (KIP-113, KIP-827): the log directories, their space, and the partitions in them with their sizes.
 *
 * Partitions and topics that do not exist are left out, as Kafka does. There are no future replicas: nothing moves
 * between directories here.
 */
import type { ErrorName } from '../../../domain/errors.ts'
import type { PartitionDirectory, ReadablePartition } from '../../partition.ts'
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
  readonly partitions: readonly { readonly partitionIndex: number; readonly sizeBytes: number }[]
}

export class DescribeLogDirs {
  readonly #partitions: PartitionDirectory
  readonly #logStore: LogStore
  readonly #metadata: MetadataRepository
  readonly #settings: () => DescribeLogDirsSettings

  constructor(
    partitions: PartitionDirectory,
    logStore: LogStore,
    metadata: MetadataRepository,
    settings: () => DescribeLogDirsSettings,
  ) {
    this.#partitions = partitions
    this.#logStore = logStore
    this.#metadata = metadata
    this.#settings = settings
  }

  async execute(command: DescribeLogDirsCommand): Promise<readonly DescribedLogDir[]> {
    const found = command.topics === null ? this.#all() : this.#named(command.topics)
    await Promise.all(found.map((partition) => partition.whenOpen()))
    const byDirectory = group(found.filter((partition) => partition.state === 'open'))
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
function group(partitions: readonly ReadablePartition[]): Map<string, DescribedLogDirTopic[]> {
  const directories = new Map<string, Map<string, { partitionIndex: number; sizeBytes: number }[]>>()
  for (const partition of partitions) {
    const { topic, partition: partitionIndex } = partition.topicPartition
    const path = partition.directory()
    let topics = directories.get(path)
    if (topics === undefined)
      directories.set(path, (topics = new Map<string, { partitionIndex: number; sizeBytes: number }[]>()))
    let ofTopic = topics.get(topic)
    if (ofTopic === undefined) topics.set(topic, (ofTopic = []))
    ofTopic.push({ partitionIndex, sizeBytes: partition.sizeBytes() })
  }
  return new Map(
    [...directories].map(([path, topics]) => [path, [...topics].map(([name, list]) => ({ name, partitions: list }))]),
  )
}
