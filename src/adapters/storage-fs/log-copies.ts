/**
 * Copies of logs on their way to another log directory, in folders with Kafka's suffix `-future` (KIP-113).
 *
 * The original's folder is renamed away before the copy's takes its name, so that no crash leaves a partition in two
 * directories, which Kafka refuses to open. Between the two there is only the copy: whoever moves a log has the metadata
 * say before that it belongs there, and Kafka completes the move at its start then, as its own rule for a log whose
 * directory is assigned wants it.
 */
import type { LogCopies, LogOptions, PartitionLog } from '../../application/ports/log-store.ts'
import { StorageError } from '../../application/ports/log-store.ts'
import type { Random } from '../../application/ports/random.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import { topicPartitionKey } from '../../domain/topic-partition.ts'
import { formatTopicId } from './checkpoint-text.ts'
import { METADATA_FILE, renamedFolder } from './file-names.ts'
import type { FolderSuffix } from './file-names.ts'
import type { FilePartitionLog } from './file-partition-log.ts'
import type { LogDirectory } from './log-directory.ts'
import { openFolder } from './partition-folder.ts'
import type { StorageContext } from './storage-context.ts'
import { replaceFile } from './whole-files.ts'

export class FileLogCopies implements LogCopies {
  readonly #context: StorageContext
  readonly #random: Random
  readonly #directories: readonly LogDirectory[]
  /** Called when a copy is the log now, or about to be opened as such. */
  readonly #promoted: (key: string, log: FilePartitionLog) => void
  readonly #preferred = new Map<string, string>()

  constructor(
    context: StorageContext,
    random: Random,
    directories: readonly LogDirectory[],
    promoted: (key: string, log: FilePartitionLog) => void,
  ) {
    this.#context = context
    this.#random = random
    this.#directories = directories
    this.#promoted = promoted
  }

  list() {
    return this.#directories.flatMap(({ path, futures }) =>
      [...futures.values()].map(({ topic, partition }) => ({ topicPartition: { topic, partition }, directory: path })),
    )
  }

  prefer(partition: TopicPartition, directory: string): void {
    this.#preferred.set(topicPartitionKey(partition.topic, partition.partition), directory)
  }

  /** Where a new log was wanted; asked once, when it is created. */
  takePreferred(key: string): string | null {
    const directory = this.#preferred.get(key) ?? null
    this.#preferred.delete(key)
    return directory
  }

  async open(
    topicPartition: TopicPartition,
    path: string,
    options: LogOptions,
    startOffset: bigint,
  ): Promise<PartitionLog> {
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition)
    const directory = this.#directories.find((one) => one.path === path)
    if (directory?.online !== true) throw new StorageError(`log directory ${path} is offline`)
    if (directory.partitions.has(key)) throw new StorageError(`${key} is in ${path} already`)
    const open = directory.futureLogs.get(key)
    if (open !== undefined) return open
    const isNew = !directory.futures.has(key)
    if (isNew) await this.#create(directory, topicPartition, key, options, startOffset)
    const future = directory.futures.get(key)!.name
    const folder = { partition: topicPartition, key, options, isNew, metadata: false, future }
    return await openFolder(this.#context, directory, folder)
  }

  async #create(
    directory: LogDirectory,
    partition: TopicPartition,
    key: string,
    options: LogOptions,
    startOffset: bigint,
  ): Promise<void> {
    const { fs } = this.#context
    const name = this.#named(partition, 'future')
    await directory.begin()
    directory.forget(key)
    const folder = directory.folder(name)
    await fs.makeDirectory(folder)
    await Promise.all([replaceFile(fs, folder, METADATA_FILE, formatTopicId(options.topicId)), directory.syncFolders()])
    directory.futures.set(key, { ...partition, name })
    directory.startOffsets.set(key, startOffset)
  }

  async promote(partition: TopicPartition, options: LogOptions, now: (log: PartitionLog) => void): Promise<void> {
    const key = topicPartitionKey(partition.topic, partition.partition)
    const to = this.#holder(key)
    if (to === undefined) throw new StorageError(`there is no copy of ${key}`)
    const from = this.#directories.find(({ partitions }) => partitions.has(key))
    const copy = to.futureLogs.get(key)
    await to.begin()
    await from?.begin()
    const wasClosed = copy !== undefined
    if (copy !== undefined) {
      if (!(await copy.close(true))) throw new StorageError(`the copy of ${key} could not be closed`)
      await to.save()
      to.futureLogs.delete(key)
    }
    const deleted = from === undefined ? null : `${from.path}/${this.#named(partition, 'delete')}`
    const exchange = async () => {
      if (from !== undefined && deleted !== null) await this.#takeAway(from, key, deleted)
      await this.#takePlace(to, partition, key)
      if (!wasClosed) return
      const opened = await openFolder(this.#context, to, {
        ...{ partition, key, options, isNew: false, metadata: false, wasClosed },
      })
      this.#promoted(key, opened)
      now(opened)
    }
    const old = from?.logs.get(key)
    if (old === undefined) await exchange()
    else await old.retire(exchange)
    if (from !== undefined && from.forget(key)) await from.save()
    if (deleted !== null) this.#context.removal.schedule([deleted], options.fileDeleteDelayMs)
    this.#context.logger.info('log moved', { log: key, from: from?.path ?? null, to: to.path })
  }

  async #takeAway(from: LogDirectory, key: string, deleted: string): Promise<void> {
    await this.#context.fs.rename(from.folder(key), deleted)
    await from.syncFolders()
    from.logs.delete(key)
    from.partitions.delete(key)
  }

  async #takePlace(to: LogDirectory, { topic, partition }: TopicPartition, key: string): Promise<void> {
    await this.#context.fs.rename(to.folder(to.futures.get(key)!.name), to.folder(key))
    to.futures.delete(key)
    to.partitions.set(key, { topic, partition })
    await to.syncFolders()
  }

  async discard(partition: TopicPartition, why: 'delete' | 'stray'): Promise<void> {
    const key = topicPartitionKey(partition.topic, partition.partition)
    const directory = this.#holder(key)
    if (directory === undefined) return
    await directory.begin()
    await directory.futureLogs.get(key)?.discard()
    directory.futureLogs.delete(key)
    const renamed = `${directory.path}/${this.#named(partition, why)}`
    await this.#context.fs.rename(directory.folder(directory.futures.get(key)!.name), renamed)
    directory.futures.delete(key)
    await directory.syncFolders()
    if (directory.forget(key)) await directory.save()
    if (why === 'delete') this.#context.removal.schedule([renamed], 0n)
    else this.#context.logger.warn('copy of a log set aside', { ...partition, folder: renamed })
  }

  #holder(key: string): LogDirectory | undefined {
    return this.#directories.find(({ futures }) => futures.has(key))
  }

  #named(partition: TopicPartition, suffix: FolderSuffix): string {
    return renamedFolder(partition, Buffer.from(this.#random.uuid(), 'base64url').toString('hex'), suffix)
  }
}
