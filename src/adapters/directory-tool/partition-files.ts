/** The files in the folder of a partition, sorted by what they are. */
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  EPOCHS_FILE,
  LOG_SUFFIX,
  METADATA_FILE,
  offsetName,
  offsetOf,
  OFFSET_INDEX_SUFFIX,
  SNAPSHOT_SUFFIX,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from '../storage-fs/file-names.ts'
import type { ReadOnlyFiles } from './read-only-files.ts'

export interface SegmentFiles {
  readonly base: bigint
  readonly logPath: string
  readonly sizeBytes: number
}

export interface PartitionFiles {
  readonly path: string
  /** Ascending. */
  readonly segments: readonly SegmentFiles[]
  /** The offsets of producer snapshots, ascending. */
  readonly snapshots: readonly bigint[]
  readonly names: ReadonlySet<string>
  /** What an interrupted clean, swap or delete left, and what waits for its removal. */
  readonly unfinished: readonly string[]
  /** What no Kafka writes there. */
  readonly unknown: readonly string[]
}

const suffixes = [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX, SNAPSHOT_SUFFIX]
const known = /^(\d{20}-\d{10}\.checkpoint|quorum-state|leader-epoch-checkpoint|partition\.metadata)$/
const unfinishedSuffixes = [CLEANED_SUFFIX, SWAP_SUFFIX, DELETED_SUFFIX, '.tmp', '.part']

function isUnfinished(name: string): boolean {
  const suffix = unfinishedSuffixes.find((candidate) => name.endsWith(candidate))
  return suffix !== undefined && (/^\d{20}[.-]/.test(name) || isKnown(name.slice(0, -suffix.length)))
}

export async function listPartition(files: ReadOnlyFiles, path: string): Promise<PartitionFiles> {
  const names = (await files.list(path)).filter(({ directory }) => !directory).map(({ name }) => name)
  const bases = offsetsOf(names, LOG_SUFFIX)
  return {
    path,
    segments: await Promise.all(
      bases.map(async (base) => {
        const logPath = `${path}/${offsetName(base)}${LOG_SUFFIX}`
        return { base, logPath, sizeBytes: await files.sizeOf(logPath) }
      }),
    ),
    snapshots: offsetsOf(names, SNAPSHOT_SUFFIX),
    names: new Set(names),
    unfinished: names.filter(isUnfinished).sort(),
    unknown: names.filter((name) => !isKnown(name) && !isUnfinished(name)).sort(),
  }
}

function offsetsOf(names: readonly string[], suffix: string): bigint[] {
  const offsets = names.map((name) => offsetOf(name, suffix)).filter((offset) => offset !== null)
  return offsets.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function isKnown(name: string): boolean {
  if (name === EPOCHS_FILE || name === METADATA_FILE || known.test(name)) return true
  return suffixes.some((suffix) => offsetOf(name, suffix) !== null)
}

/** The path of a file beside a segment's log. */
export function besideLog(files: PartitionFiles, base: bigint, suffix: string): string {
  return `${files.path}/${offsetName(base)}${suffix}`
}
