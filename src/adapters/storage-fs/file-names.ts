/** The names of files and folders in a log directory, as Kafka gives them. */
import type { TopicPartition } from '../../domain/topic-partition.ts'

export const LOG_SUFFIX = '.log'
export const OFFSET_INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
export const TXN_INDEX_SUFFIX = '.txnindex'
export const INDEX_SUFFIXES = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX] as const
export const SNAPSHOT_SUFFIX = '.snapshot'
export const DELETED_SUFFIX = '.deleted'
export const CLEANED_SUFFIX = '.cleaned'
export const SWAP_SUFFIX = '.swap'

export const METADATA_FILE = 'partition.metadata'
export const EPOCHS_FILE = 'leader-epoch-checkpoint'
export const CLEAN_STOP_FILE = '.kafka_cleanshutdown'
export const LOCK_FILE = '.lock'

const FOLDER_NAME_MAX = 255
const PARTITION_MAX = 0x7fff_ffff

/** The 20 digits that begin the names of a segment's files. */
export function offsetName(offset: bigint): string {
  return offset.toString().padStart(20, '0')
}

/** The offset in a file's name, if it is 20 digits and then exactly `suffix`; else null. */
export function offsetOf(name: string, suffix: string): bigint | null {
  if (name.length !== 20 + suffix.length || !name.endsWith(suffix)) return null
  const digits = name.slice(0, 20)
  return /^\d{20}$/.test(digits) ? BigInt(digits) : null
}

/**
 * The partition whose folder this is; null for everything else, `-delete`, `-future` and `-stray` included, and for
 * numbers that nobody writes so (`x-01`): another name would be looked for later.
 */
export function partitionOfFolder(name: string): TopicPartition | null {
  const match = /^([a-zA-Z0-9._-]{1,249})-(0|[1-9]\d{0,9})$/.exec(name)
  if (match === null || Number(match[2]) > PARTITION_MAX) return null
  return { topic: match[1]!, partition: Number(match[2]) }
}

/** The partition whose copy on its way to another directory (KIP-113) this folder is; null for everything else. */
export function partitionOfFutureFolder(name: string): TopicPartition | null {
  const match = /^(.+)\.[0-9a-f]{32}-future$/.exec(name)
  return match === null ? null : partitionOfFolder(match[1]!)
}

/** Whether a folder belongs to a deleted topic and waits for its removal. */
export function isDeletedFolder(name: string): boolean {
  return /^.*-\d{1,10}\.[0-9a-f]{32}-delete$/.test(name)
}

export type FolderSuffix = 'delete' | 'stray' | 'future'

/** What the folder of a partition out of use is renamed to: the topic's name is cut to what a file name may hold. */
export function renamedFolder({ topic, partition }: TopicPartition, uniqueHex: string, suffix: FolderSuffix): string {
  const rest = `-${partition}.${uniqueHex}-${suffix}`
  return topic.slice(0, FOLDER_NAME_MAX - rest.length) + rest
}
