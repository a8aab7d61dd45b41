/**
 * One of the `log.dirs`: its lock, its checkpoint files, the marker of a clean stop, and the folders in it. It says
 * what the last process left; it opens no logs itself.
 */
import type { Logger } from '../../application/ports/logger.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import { topicPartitionKey } from '../../domain/topic-partition.ts'
import { formatCleanStop, formatOffsets, parseCleanStop, parseOffsets } from './checkpoint-text.ts'
import {
  CLEAN_STOP_FILE,
  isDeletedFolder,
  LOCK_FILE,
  partitionOfFolder,
  partitionOfFutureFolder,
} from './file-names.ts'
import type { FilePartitionLog } from './file-partition-log.ts'
import type { FileSystem } from './file-system.ts'
import { SharedTask } from './shared-task.ts'
import { readText, replaceFile } from './whole-files.ts'

const RECOVERY_POINTS = 'recovery-point-offset-checkpoint'
const START_OFFSETS = 'log-start-offset-checkpoint'
/** A single node has no other replica to wait for: its high watermark is the end of the log. */
const HIGH_WATERMARKS = 'replication-offset-checkpoint'
/** Where the dirty part of each compacted log begins. */
const FIRST_DIRTY_OFFSETS = 'cleaner-offset-checkpoint'

interface FutureFolder extends TopicPartition {
  /** Of the folder. */
  readonly name: string
}

export class LogDirectory {
  readonly path: string
  /** False = it holds the metadata log only, because `metadata.log.dir` names it and `log.dirs` does not. */
  readonly takesPartitions: boolean
  readonly #fs: FileSystem
  readonly #logger: Logger
  readonly #metadataTopic: string
  readonly #offline: () => void
  online = false
  /** Whether the last process ended cleanly. */
  wasClean = false
  /** The broker epoch in the marker of the last clean stop. */
  brokerEpoch: bigint | null = null
  /** The partitions that have a folder here. */
  readonly partitions = new Map<string, TopicPartition>()
  /** The open ones. */
  readonly logs = new Map<string, FilePartitionLog>()
  /** The folders of copies that are on their way here from another directory, by the partition's own folder name. */
  readonly futures = new Map<string, FutureFolder>()
  /** The open ones of these; a directory never has both a partition and a copy of it. */
  readonly futureLogs = new Map<string, FilePartitionLog>()
  /** Partitions that must not count as clean: recovery is due, or was refused. */
  readonly unclean = new Set<string>()
  readonly recoveryPoints = new Map<string, bigint>()
  readonly startOffsets = new Map<string, bigint>()
  readonly firstDirtyOffsets = new Map<string, bigint>()
  readonly #highWatermarks = new Map<string, bigint>()
  #unlock: (() => Promise<void>) | null = null
  /** The first change to a log: from then on a crash is a crash. */
  #begun: Promise<void> | null = null
  readonly #all = new SharedTask(() => this.#save())
  readonly #cleaned = new SharedTask(() => this.#saveFirstDirty())
  readonly #starts = new SharedTask(() => this.#saveStarts())
  readonly #names = new SharedTask(() => this.#fs.syncDirectory(this.path))

  /** @param offline called once, when the directory cannot be used any more */
  constructor(
    fs: FileSystem,
    logger: Logger,
    place: { readonly path: string; readonly takesPartitions: boolean; readonly metadataTopic: string },
    offline: () => void,
  ) {
    this.#fs = fs
    this.#logger = logger
    this.path = place.path
    this.takesPartitions = place.takesPartitions
    this.#metadataTopic = place.metadataTopic
    this.#offline = offline
  }

  /** Locks the directory and learns what is in it. Answers the deleted folders that wait for their removal. */
  async start(): Promise<string[]> {
    const fs = this.#fs
    await fs.makeDirectory(this.path)
    this.#unlock = await fs.lock(`${this.path}/${LOCK_FILE}`)
    if (this.#unlock === null) throw new DirectoryInUseError(this.path)
    const entries = await fs.list(this.path)
    // a new directory has none of the files: nothing is to be looked for then
    const names = new Set(entries.map(({ name }) => name))
    const load = async (name: string, into: Map<string, bigint>) => {
      if (names.has(name)) await this.#load(name, into)
    }
    const [marker] = await Promise.all([
      names.has(CLEAN_STOP_FILE) ? readText(fs, `${this.path}/${CLEAN_STOP_FILE}`) : null,
      load(RECOVERY_POINTS, this.recoveryPoints),
      load(START_OFFSETS, this.startOffsets),
      load(HIGH_WATERMARKS, this.#highWatermarks),
      load(FIRST_DIRTY_OFFSETS, this.firstDirtyOffsets),
    ])
    this.wasClean = marker !== null
    this.brokerEpoch = marker === null ? null : parseCleanStop(marker)
    const deleted: string[] = []
    for (const { name, directory } of entries) {
      const partition = directory ? partitionOfFolder(name) : null
      const copied = directory ? partitionOfFutureFolder(name) : null
      if (copied !== null) this.futures.set(topicPartitionKey(copied.topic, copied.partition), { ...copied, name })
      else if (partition !== null)
        this.partitions.set(topicPartitionKey(partition.topic, partition.partition), partition)
      else if (directory && isDeletedFolder(name)) deleted.push(`${this.path}/${name}`)
    }
    if (!this.wasClean) for (const key of [...this.partitions.keys(), ...this.futures.keys()]) this.unclean.add(key)
    this.online = true
    return deleted
  }

  /**
   * To be awaited before anything is changed in the folder of a partition: takes the marker of the clean stop away. A
   * start that is refused before leaves the directory as it was.
   */
  begin(): Promise<void> {
    this.#begun ??= this.#takeMarker()
    return this.#begun
  }

  async #takeMarker(): Promise<void> {
    if (!this.wasClean) return
    await this.#fs.remove(`${this.path}/${CLEAN_STOP_FILE}`)
    await this.#fs.syncDirectory(this.path)
  }

  /** It cannot be used any more: neither can any log in it. */
  failed(error: unknown): void {
    if (!this.online) return
    this.online = false
    this.#logger.error('log directory offline', { path: this.path, partitions: this.partitions.size, error })
    for (const log of [...this.logs.values(), ...this.futureLogs.values()]) log.failed(error)
    this.#offline()
  }

  /** How many partitions it holds or will hold. */
  get load(): number {
    return this.partitions.size + this.futures.size
  }

  folder(key: string): string {
    return `${this.path}/${key}`
  }

  /** A partition came or went: forgets what the checkpoints say of an earlier one of that name. */
  forget(key: string): boolean {
    this.unclean.delete(key)
    this.#highWatermarks.delete(key)
    const known = [this.recoveryPoints, this.startOffsets, this.firstDirtyOffsets].filter((map) => map.delete(key))
    return known.length > 0
  }

  /** Writes all checkpoint files. */
  save(): Promise<void> {
    return this.#all.run()
  }

  /** Writes the start offsets only: records that a client deleted do not come back. */
  saveStartOffsets(): Promise<void> {
    return this.#starts.run()
  }

  /** Writes where compaction goes on. */
  saveFirstDirtyOffsets(): Promise<void> {
    return this.#cleaned.run()
  }

  /** Brings the folders' names to the disk. */
  syncFolders(): Promise<void> {
    return this.#names.run()
  }

  /** After its logs are closed: marks the stop as clean if it is, and lets the directory go. */
  async close(brokerEpoch: bigint): Promise<void> {
    // Without an epoch no broker ever was: what came before it was refused.
    const used = this.#begun !== null || brokerEpoch >= 0n
    try {
      if (this.online && used) {
        await this.save()
        if (this.unclean.size === 0)
          await replaceFile(this.#fs, this.path, CLEAN_STOP_FILE, formatCleanStop(brokerEpoch))
        else this.#logger.warn('not stopped cleanly', { path: this.path, logs: [...this.unclean] })
      }
    } catch (error) {
      this.#logger.error('log directory not closed cleanly', { path: this.path, error })
    } finally {
      this.online = false
      await this.release()
    }
  }

  async release(): Promise<void> {
    const unlock = this.#unlock
    this.#unlock = null
    await unlock?.()
  }

  async #save(): Promise<void> {
    for (const [key, log] of this.#checkpointed()) {
      this.recoveryPoints.set(key, log.recoveryPoint)
      this.#highWatermarks.set(key, log.range().end)
    }
    await this.saveStartOffsets()
    await replaceFile(this.#fs, this.path, RECOVERY_POINTS, formatOffsets(this.recoveryPoints))
    await replaceFile(this.#fs, this.path, HIGH_WATERMARKS, formatOffsets(this.#highWatermarks))
    // no such file until the first compaction
    if (this.firstDirtyOffsets.size > 0) await this.saveFirstDirtyOffsets()
  }

  async #saveStarts(): Promise<void> {
    for (const [key, log] of this.#checkpointed()) {
      const start = log.startToSave
      if (start === null) this.startOffsets.delete(key)
      else this.startOffsets.set(key, start)
    }
    await replaceFile(this.#fs, this.path, START_OFFSETS, formatOffsets(this.startOffsets))
  }

  async #saveFirstDirty(): Promise<void> {
    await replaceFile(this.#fs, this.path, FIRST_DIRTY_OFFSETS, formatOffsets(this.firstDirtyOffsets))
  }

  #checkpointed(): [string, FilePartitionLog][] {
    return [...this.logs, ...this.futureLogs].filter(([, log]) => log.topicPartition.topic !== this.#metadataTopic)
  }

  async #load(name: string, into: Map<string, bigint>): Promise<void> {
    const text = await readText(this.#fs, `${this.path}/${name}`)
    if (text === null || text === '') return
    const offsets = parseOffsets(text)
    if (offsets === null) this.#logger.warn('checkpoint not readable, ignored', { path: `${this.path}/${name}` })
    else for (const [key, offset] of offsets) into.set(key, offset)
  }
}

/** Another process, Kafka or another store has the directory. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError'

  constructor(path: string) {
    super(`log directory ${path} is in use: another broker holds ${path}/${LOCK_FILE}`)
  }
}
