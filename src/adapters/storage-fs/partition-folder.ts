/** Creating and opening the folder of one partition in a log directory. */
import type { LogOptions } from '../../application/ports/log-store.ts'
import { StorageError } from '../../application/ports/log-store.ts'
import { segmentJitter } from '../../domain/log/log-segment.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import type { Uuid } from '../../domain/uuid.ts'
import { formatTopicId, parseTopicId } from './checkpoint-text.ts'
import { METADATA_FILE } from './file-names.ts'
import { FilePartitionLog } from './file-partition-log.ts'
import { concernsDirectory } from './file-system.ts'
import { loadLog } from './load-log.ts'
import type { LogDirectory } from './log-directory.ts'
import type { LogKeeper } from './log-keeper.ts'
import type { StorageContext } from './storage-context.ts'
import { readText, replaceFile } from './whole-files.ts'

export interface OpenedFolder {
  readonly partition: TopicPartition
  /** `topic-partition`: the folder's name. */
  readonly key: string
  readonly options: LogOptions
  /** Just created. */
  readonly isNew: boolean
  /** It is the metadata log. */
  readonly metadata: boolean
  /** The folder's name where it is that of a copy on its way here. */
  readonly future?: string
  /** Closed by this process just now: nothing needs to be recovered. */
  readonly wasClosed?: boolean
}

/** Makes the folder of a new partition; what the checkpoints say of an earlier one of that name goes. */
export async function createFolder(
  { fs }: StorageContext,
  directory: LogDirectory,
  partition: TopicPartition,
  key: string,
  topicId: Uuid,
): Promise<void> {
  directory.forget(key)
  directory.partitions.set(key, partition)
  const folder = directory.folder(key)
  try {
    await directory.begin()
    await fs.makeDirectory(folder)
    await Promise.all([replaceFile(fs, folder, METADATA_FILE, formatTopicId(topicId)), directory.syncFolders()])
  } catch (error) {
    directory.partitions.delete(key)
    throw new StorageError(`${folder} cannot be created`, { cause: error })
  }
}

/** Opens the log in a folder and tells the directory so, also when it cannot be opened. */
export async function openFolder(
  context: StorageContext,
  directory: LogDirectory,
  { partition, key, options, isNew, metadata, future, wasClosed }: OpenedFolder,
): Promise<FilePartitionLog> {
  const folder = directory.folder(future ?? key)
  try {
    if (!metadata) await directory.begin()
    if (!isNew) await checkTopicId(context, folder, options.topicId)
    const log = await loadLog(context, {
      folder,
      name: key,
      options,
      clean: !metadata && (directory.wasClean || isNew || wasClosed === true),
      recoveryPoint: directory.recoveryPoints.get(key) ?? null,
      startOffset: directory.startOffsets.get(key) ?? null,
      precious: metadata,
      jitterMs: segmentJitter(context.drawJitter(), options.segmentJitterMs, options.segmentMs),
    })
    const place = { partition, topicId: options.topicId, directory: directory.path, folder }
    const opened = new FilePartitionLog(context, keeperOf(context, directory, key), place, options, log)
    directory.unclean.delete(key)
    const logs = future === undefined ? directory.logs : directory.futureLogs
    logs.set(key, opened)
    return opened
  } catch (error) {
    directory.unclean.add(key)
    if (error instanceof StorageError) throw error
    throw new StorageError(`${folder} cannot be opened`, { cause: error })
  }
}

function keeperOf({ logger }: StorageContext, directory: LogDirectory, key: string): LogKeeper {
  return {
    saveRecoveryPoint: () => directory.save(),
    saveStartOffset: () => directory.saveStartOffsets(),
    firstDirtyOffset: () => directory.firstDirtyOffsets.get(key) ?? null,
    saveFirstDirtyOffset: (offset) => {
      directory.firstDirtyOffsets.set(key, offset)
      return directory.saveFirstDirtyOffsets()
    },
    offline: (error) => {
      directory.unclean.add(key)
      if (!directory.online) return
      logger.error('log offline', { log: key, folder: directory.folder(key), error })
      if (concernsDirectory(error)) directory.failed(error)
    },
  }
}

/** A folder of another topic is never written to; one without an id gets the one asked for. */
async function checkTopicId({ fs }: StorageContext, folder: string, topicId: Uuid): Promise<void> {
  const text = await readText(fs, `${folder}/${METADATA_FILE}`)
  if (text === null) {
    await replaceFile(fs, folder, METADATA_FILE, formatTopicId(topicId))
    return
  }
  const stored = parseTopicId(text)
  if (stored === null) throw new StorageError(`${folder}/${METADATA_FILE} is not readable`)
  if (stored !== topicId) throw otherTopic(folder, stored, topicId)
}

export function otherTopic(where: string, stored: Uuid, asked: Uuid): StorageError {
  return new StorageError(`${where} holds topic id ${stored}, not ${asked}`)
}
