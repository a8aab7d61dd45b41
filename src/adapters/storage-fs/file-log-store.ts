/**
 * The storage port on Apache Kafka's own files: directory layout, formats and checkpoints are those of Kafka 4.x, so
 * that either program opens what the other wrote. After an unclean stop each log is recovered when it is opened; a
 * directory is marked as cleanly stopped only when every log in it is known to be sound.
 *
 * It does not decide what is compacted (`replaceSegments` is told), and ignores `preallocate` (Kafka's help for
 * Windows).
 */
import type { Checksum } from '../../application/ports/checksum.ts'
import type { ListedLog, LogDirectory as DirectoryDescription } from '../../application/ports/log-store.ts'
import type { LogOptions, LogStore, PartitionLog } from '../../application/ports/log-store.ts'
import { StorageError } from '../../application/ports/log-store.ts'
import type { Logger } from '../../application/ports/logger.ts'
import type { Random } from '../../application/ports/random.ts'
import type { Timer, Timers } from '../../application/ports/timers.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import { topicPartitionKey } from '../../domain/topic-partition.ts'
import { BufferPool } from './buffer-pool.ts'
import { parseTopicId } from './checkpoint-text.ts'
import { DelayedRemoval } from './delayed-removal.ts'
import { EndOfTurn } from './end-of-turn.ts'
import { renamedFolder, METADATA_FILE } from './file-names.ts'
import type { FilePartitionLog } from './file-partition-log.ts'
import type { FileSystem } from './file-system.ts'
import { isShortage } from './file-system.ts'
import { IndexCache } from './index-cache.ts'
import { FileLogCopies } from './log-copies.ts'
import { Limiter } from './limiter.ts'
import { DirectoryInUseError, LogDirectory } from './log-directory.ts'
import { OpenFiles } from './open-files.ts'
import { createFolder, openFolder, otherTopic } from './partition-folder.ts'
import { storeFileSystem } from './store-file-system.ts'
import type { StorageContext } from './storage-context.ts'
import { readText } from './whole-files.ts'

/** The metadata log: in no checkpoint, always checked whole when it is opened, its indexes never cut. */
const METADATA_TOPIC = '__cluster_metadata'

export interface FileLogStoreOptions {
  /** `log.dirs`: absolute paths, created where they do not exist. */
  readonly directories: readonly string[]
  /** `metadata.log.dir`; default: the first of `directories`. */
  readonly metadataDirectory?: string
  readonly checksum: Checksum
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  /** `log.flush.offset.checkpoint.interval.ms`. */
  readonly checkpointIntervalMs?: number
  /** How many logs are opened or recovered at the same time. */
  readonly openingMax?: number
  readonly openFilesMax?: number
  /** Called when no directory that takes partitions is left, or the metadata's is lost: Kafka ends itself then. */
  readonly onLost?: (paths: readonly string[]) => void
  /** Default: the machine's. */
  readonly fileSystem?: FileSystem
}

const READ_BUFFER_BYTES_KEPT = 16 * 1024 * 1024
const INDEX_BYTES_KEPT = 16 * 1024 * 1024
/** How many folders are looked into at a time. */
const LISTED_AT_ONCE = 32
const JITTER_RANGE = 0x7fff_ffff
const DELETE_DELAY_MS = 60_000n

export class FileLogStore implements LogStore {
  readonly copies: FileLogCopies
  readonly #options: FileLogStoreOptions
  readonly #context: StorageContext
  readonly #directories: LogDirectory[]
  readonly #metadataDirectory: LogDirectory
  readonly #opening = new Map<string, Promise<FilePartitionLog>>()
  readonly #limiter: Limiter
  #state: 'new' | 'started' | 'closed' = 'new'
  #checkpointTimer: Timer | null = null
  #checkpointing: Promise<unknown> = Promise.resolve()
  #brokerEpoch = -1n
  /** Folders of deleted topics. */
  readonly #leftBehind: string[] = []

  constructor(options: FileLogStoreOptions) {
    const { checksum, timers, random, logger } = options
    const fs = options.fileSystem ?? storeFileSystem()
    this.#options = options
    this.#context = {
      fs,
      files: new OpenFiles(fs, options.openFilesMax ?? 1024),
      pool: new BufferPool(READ_BUFFER_BYTES_KEPT),
      indexes: new IndexCache(INDEX_BYTES_KEPT),
      removal: new DelayedRemoval(fs, timers, logger),
      endOfTurn: new EndOfTurn(),
      checksum,
      timers,
      logger,
      drawJitter: () => random.integer(JITTER_RANGE),
    }
    this.#limiter = new Limiter(options.openingMax ?? 8)
    const metadataPath = options.metadataDirectory ?? options.directories[0]!
    const paths = new Set([...options.directories, metadataPath])
    this.#directories = [...paths].map(
      (path) =>
        new LogDirectory(
          fs,
          logger,
          { path, takesPartitions: options.directories.includes(path), metadataTopic: METADATA_TOPIC },
          () => this.#directoryLost(),
        ),
    )
    this.#metadataDirectory = this.#directories.find(({ path }) => path === metadataPath)!
    this.copies = new FileLogCopies(this.#context, random, this.#directories, (key, log) => {
      this.#opening.set(key, Promise.resolve(log))
    })
  }

  /**
   * The metadata is sound, so the start will not be refused: folders of deleted topics that the last process left go
   * now, and a directory that is refused keeps even those. The epoch goes into the marker of a clean stop.
   */
  setBrokerEpoch(brokerEpoch: bigint): void {
    this.#brokerEpoch = brokerEpoch
    this.#context.removal.removeNow(this.#leftBehind.splice(0))
  }

  /** The broker epoch of the last process if it stopped cleanly everywhere, else null; known from `start` on. */
  previousBrokerEpoch(): bigint | null {
    return this.#directories.every(({ wasClean }) => wasClean) ? (this.#directories[0]?.brokerEpoch ?? null) : null
  }

  async start(): Promise<void> {
    const { logger } = this.#context
    try {
      for (const directory of this.#directories) {
        try {
          this.#leftBehind.push(...(await directory.start()))
        } catch (error) {
          await directory.release()
          if (error instanceof DirectoryInUseError) throw error
          if (directory === this.#metadataDirectory) {
            throw new StorageError(`log directory ${directory.path} cannot be used`, { cause: error })
          }
          logger.error('log directory offline', { path: directory.path, error })
        }
      }
    } catch (error) {
      await Promise.all(this.#directories.map((directory) => directory.release()))
      throw error
    }
    this.#state = 'started'
    this.#checkpointLater()
  }

  open(partition: TopicPartition, options: LogOptions, directory?: string | null): Promise<PartitionLog> {
    const key = topicPartitionKey(partition.topic, partition.partition)
    let opening = this.#opening.get(key)
    if (opening === undefined) {
      opening = this.#limiter.run(() => this.#open(partition, key, options, directory))
      this.#opening.set(key, opening)
      opening.catch(() => this.#opening.delete(key))
    }
    return opening.then((log) => {
      if (log.topicId !== options.topicId) throw otherTopic(key, log.topicId, options.topicId)
      log.configure(options)
      return log
    })
  }

  async #open(
    partition: TopicPartition,
    key: string,
    options: LogOptions,
    wanted: string | null | undefined,
  ): Promise<FilePartitionLog> {
    this.#assertStarted()
    const found = this.#directories.filter((directory) => directory.partitions.has(key))
    if (found.length > 1) {
      throw new StorageError(`${key} is in two log directories: ${found.map(({ path }) => path).join(', ')}`)
    }
    const isNew = found.length === 0 && !(await this.#completeMove(partition, key, options, wanted))
    const directory = isNew
      ? await this.#create(partition, key, options, wanted)
      : this.#directories.find((directory) => directory.partitions.has(key))!
    if (!directory.online) throw new StorageError(`${key} is in ${directory.path}, which is offline`)
    const metadata = partition.topic === METADATA_TOPIC
    return await openFolder(this.#context, directory, { partition, key, options, isNew, metadata })
  }

  /** A move was interrupted between its two renames, and the metadata is too old to say so: there is only the copy. */
  async #completeMove(
    partition: TopicPartition,
    key: string,
    options: LogOptions,
    wanted: string | null | undefined,
  ): Promise<boolean> {
    if (wanted !== undefined || !this.#directories.some(({ futures }) => futures.has(key))) return false
    await this.copies.promote(partition, options, () => undefined)
    return true
  }

  /** Makes the folder of a new partition: where it is wanted, or in the directory that has the fewest. */
  async #create(
    partition: TopicPartition,
    key: string,
    options: LogOptions,
    wanted: string | null | undefined,
  ): Promise<LogDirectory> {
    const path = wanted ?? this.copies.takePreferred(key)
    const directory = partition.topic === METADATA_TOPIC ? this.#metadataDirectory : this.#place(key, path, wanted)
    await createFolder(this.#context, directory, partition, key, options.topicId)
    return directory
  }

  #place(key: string, path: string | null, wanted: string | null | undefined): LogDirectory {
    const offline = this.#directories.find((directory) => !directory.online)
    if (offline !== undefined && wanted === undefined) {
      throw new StorageError(`${key} is not created: it may be in ${offline.path}, which is offline`)
    }
    const usable = this.#directories.filter((directory) => directory.takesPartitions && directory.online)
    if (path !== null) {
      const directory = usable.find((one) => one.path === path)
      if (directory !== undefined) return directory
      throw new StorageError(`${key} is in ${path}, which is offline`)
    }
    if (usable.length === 0) throw new StorageError(`${key} is not created: all log directories are offline`)
    return usable.reduce((least, directory) => (directory.load < least.load ? directory : least))
  }

  async list(): Promise<readonly ListedLog[]> {
    const { fs } = this.#context
    const limiter = new Limiter(LISTED_AT_ONCE)
    const listed = this.#directories.flatMap((directory) =>
      [...directory.partitions].map(([key, topicPartition]) =>
        limiter.run(async () => {
          const needsRecovery = directory.unclean.has(key)
          const known = { topicPartition, directory: directory.path, needsRecovery }
          const open = directory.logs.get(key)
          if (open !== undefined) return { ...known, topicId: open.topicId }
          const text = await readText(fs, `${directory.folder(key)}/${METADATA_FILE}`)
          return { ...known, topicId: text === null ? null : parseTopicId(text) }
        }),
      ),
    )
    return await Promise.all(listed)
  }

  async delete(partition: TopicPartition): Promise<void> {
    const key = topicPartitionKey(partition.topic, partition.partition)
    // a log that could not be opened has Kafka's default
    const log = await this.#opening.get(key)?.catch(() => undefined)
    const renamed = await this.#rename(partition, key, 'delete')
    const delayMs = log?.fileDeleteDelayMs ?? DELETE_DELAY_MS
    if (renamed !== null) this.#context.removal.schedule([renamed], delayMs)
  }

  async setAside(partition: TopicPartition): Promise<void> {
    const key = topicPartitionKey(partition.topic, partition.partition)
    const folder = await this.#rename(partition, key, 'stray')
    if (folder !== null) this.#context.logger.warn('log set aside', { ...partition, folder })
  }

  /** Takes a log out of use under a name that is none; answers its folder's new path, null when there was no log. */
  async #rename(partition: TopicPartition, key: string, suffix: 'delete' | 'stray'): Promise<string | null> {
    this.#assertStarted()
    await this.#opening.get(key)?.catch(() => undefined)
    const directory = this.#directories.find(({ partitions }) => partitions.has(key))
    this.#opening.delete(key)
    if (directory === undefined) return null
    await directory.begin()
    await directory.logs.get(key)?.discard()
    directory.logs.delete(key)
    // first the checkpoints: a partition of the same name that comes next must not inherit offsets
    if (directory.forget(key)) await directory.save()
    const uniqueHex = Buffer.from(this.#options.random.uuid(), 'base64url').toString('hex')
    const renamed = `${directory.path}/${renamedFolder(partition, uniqueHex, suffix)}`
    await this.#context.fs.rename(directory.folder(key), renamed)
    await directory.syncFolders()
    directory.partitions.delete(key)
    return renamed
  }

  async directories(): Promise<readonly DirectoryDescription[]> {
    const { fs } = this.#context
    const described = this.#directories
      .filter((directory) => directory.takesPartitions)
      .map(async ({ path, online }) => {
        const space = online ? await fs.space(path).catch(() => null) : null
        return space === null ? { path, online: false, totalBytes: -1n, usableBytes: -1n } : { path, online, ...space }
      })
    return await Promise.all(described)
  }

  async close(): Promise<void> {
    if (this.#state !== 'started') return
    this.#state = 'closed'
    this.#checkpointTimer?.cancel()
    await Promise.allSettled([this.#checkpointing, ...this.#opening.values()])
    for (const directory of this.#directories) {
      const closings = [...directory.logs, ...directory.futureLogs].map(([key, log]) =>
        this.#limiter.run(async () => {
          const metadata = log.topicPartition.topic === METADATA_TOPIC
          if (!(await log.close(!metadata))) directory.unclean.add(key)
        }),
      )
      await Promise.all(closings)
    }
    await this.#context.removal.close()
    await Promise.all(this.#directories.map((directory) => directory.close(this.#brokerEpoch)))
    await this.#context.files.close()
    this.#context.pool.clear()
  }

  #checkpointLater(): void {
    this.#checkpointTimer = this.#context.timers.after(this.#options.checkpointIntervalMs ?? 60_000, () => {
      const online = this.#directories.filter((directory) => directory.online)
      const saves = online.map((directory) =>
        directory.save().catch((error: unknown) => {
          if (!isShortage(error)) directory.failed(error)
          else this.#context.logger.error('checkpoints not written', { path: directory.path, error })
        }),
      )
      this.#checkpointing = Promise.all(saves)
      this.#checkpointLater()
    })
  }

  #directoryLost(): void {
    const left = this.#directories.some(({ takesPartitions, online }) => takesPartitions && online)
    if (left && this.#metadataDirectory.online) return
    this.#options.onLost?.(this.#directories.filter(({ online }) => !online).map(({ path }) => path))
  }

  #assertStarted(): void {
    if (this.#state !== 'started') throw new StorageError(`the storage is ${this.#state}`)
  }
}
