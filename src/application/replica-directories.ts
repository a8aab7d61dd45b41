/**
 * In which log directory each replica is: what the metadata says (KIP-858), and what it is told when a log turned out to
 * be elsewhere or was placed. Where no directories are known (in memory) there is nothing to say.
 */
import type { PartitionImage } from '../domain/cluster/cluster-image.ts'
import { decideDirectories, type ReplicaDirectory } from '../domain/cluster/directory-assignment.ts'
import { MIGRATING_DIRECTORY, UNASSIGNED_DIRECTORY } from '../domain/cluster/directory-id.ts'
import type { Uuid } from '../domain/uuid.ts'
import type { Logger } from './ports/logger.ts'
import type { MetadataRepository } from './ports/metadata-repository.ts'

export interface ReplicaDirectoriesSettings {
  readonly nodeId: number
}

export class ReplicaDirectories {
  readonly #metadata: MetadataRepository
  readonly #logger: Logger
  readonly #settings: () => ReplicaDirectoriesSettings
  #found: ReplicaDirectory[] = []

  constructor(metadata: MetadataRepository, logger: Logger, settings: () => ReplicaDirectoriesSettings) {
    this.#metadata = metadata
    this.#logger = logger
    this.#settings = settings
  }

  /**
   * The path of the directory that the replica is in by the metadata; null = it was never placed, undefined = the
   * metadata does not say. A directory that cannot be used has no path: its id is named instead.
   */
  assigned(partition: PartitionImage): string | null | undefined {
    const ids = this.#metadata.directoryIds()
    const directory = partition.directories[partition.replicas.indexOf(this.#settings().nodeId)]
    if (ids.size === 0 || directory === undefined || directory === MIGRATING_DIRECTORY) return undefined
    if (directory === UNASSIGNED_DIRECTORY) return null
    for (const [path, id] of ids) if (id === directory) return path
    return `the log directory with the id ${directory}`
  }

  /** A replica is in the directory with this path: the metadata is told, soon, if it says otherwise. */
  found(topicId: Uuid, partition: PartitionImage, path: string): void {
    const directoryId = this.#metadata.directoryIds().get(path)
    const known = partition.directories[partition.replicas.indexOf(this.#settings().nodeId)]
    if (directoryId === undefined || known === undefined || known === directoryId) return
    this.#found.push({ topicId, partitionId: partition.partitionId, directoryId })
    if (this.#found.length === 1) void this.#tell()
  }

  /** All that was found in one go is one commit. */
  async #tell(): Promise<void> {
    await Promise.resolve()
    const found = this.#found
    this.#found = []
    await this.#commit(found).catch((cause: unknown) => {
      // the next start finds them again
      this.#logger.warn('log directories not assigned', { replicas: found.length, cause })
    })
  }

  /** Resolves when the metadata says that the replica is in the directory with this path. */
  async assign(topicId: Uuid, partitionId: number, path: string): Promise<void> {
    const directoryId = this.#metadata.directoryIds().get(path)
    if (directoryId !== undefined) await this.#commit([{ topicId, partitionId, directoryId }])
  }

  #commit(replicas: readonly ReplicaDirectory[]): Promise<void> {
    const { nodeId } = this.#settings()
    return this.#metadata.commit((image) => ({
      records: decideDirectories(image, nodeId, replicas),
      answer: undefined,
    }))
  }
}
