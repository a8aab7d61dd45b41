/**
 * A cheap look at a partition: file names, sizes, the last entry of the last index, and the batch headers behind it.
 * No record is read. Where there is no snapshot of the producers at the log's end, as after a kill, the headers behind
 * the newest one are read to know where open transactions begin.
 */
import { NO_PRODUCER_ID } from '../../domain/log/record-batch.ts'
import { decodeProducerSnapshot } from '../../domain/log/producer-snapshot.ts'
import type { Uuid } from '../../domain/uuid.ts'
import { parseTopicId } from '../storage-fs/checkpoint-text.ts'
import { METADATA_FILE, OFFSET_INDEX_SUFFIX, SNAPSHOT_SUFFIX } from '../storage-fs/file-names.ts'
import { walkBatches } from './batch-walk.ts'
import { besideLog, listPartition, type PartitionFiles, type SegmentFiles } from './partition-files.ts'
import { readFully, readText, withReadOnly, type ReadOnlyFiles } from './read-only-files.ts'
import type { BatchTools } from './batch-verdict.ts'

export interface PartitionLook {
  readonly topicId: Uuid | null
  readonly start: bigint
  /** After the last whole batch. */
  readonly end: bigint
  /** The last stable offset, `end` when no transaction is open; null = it takes more reading than a cheap look may. */
  readonly lastStable: bigint | null
  readonly segments: number
  /** Of the log files, as Kafka counts a partition. */
  readonly logBytes: number
  /** What is not as a sound partition looks, in a few words each. */
  readonly remarks: readonly string[]
}

const INDEX_ENTRY_BYTES = 8
/** More log than this is not walked for the last stable offset. */
const WALKED_BYTES_MAX = 64 * 1024 * 1024

export async function lookAtPartition(
  files: ReadOnlyFiles,
  path: string,
  startOffset: bigint | null,
  { checksum }: BatchTools,
): Promise<PartitionLook> {
  const listed = await listPartition(files, path)
  const remarks: string[] = []
  const { segments } = listed
  const first = segments[0]?.base ?? 0n
  const start = startOffset !== null && startOffset > first ? startOffset : first
  const active = segments.at(-1)
  let end = first
  if (active === undefined) remarks.push('no segment')
  else {
    const tail = await endOf(files, listed, active)
    end = tail.end
    if (tail.reason !== null) remarks.push(`${active.sizeBytes - tail.position} bytes behind the last whole batch`)
  }
  if (start > end) remarks.push('starts behind its end')
  if (listed.unfinished.length > 0) remarks.push(`${listed.unfinished.length} unfinished or deleted files`)
  if (listed.unknown.length > 0) remarks.push(`${listed.unknown.length} unknown files`)
  const lastStable = await lastStableOffset(files, listed, end, (bytes) => checksum.crc32c(bytes))
  const metadata = await readText(files, `${path}/${METADATA_FILE}`)
  const topicId = metadata === null ? null : parseTopicId(metadata)
  if (topicId === null) remarks.push(metadata === null ? 'no partition.metadata' : 'unreadable partition.metadata')
  const logBytes = segments.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0)
  return { topicId, start, end, lastStable, segments: segments.length, logBytes, remarks }
}

interface Tail {
  readonly end: bigint
  readonly position: number
  readonly reason: string | null
}

/** From where the last index entry points; from the beginning where that is not the beginning of a batch. */
async function endOf(files: ReadOnlyFiles, listed: PartitionFiles, segment: SegmentFiles): Promise<Tail> {
  const { base, sizeBytes, logPath } = segment
  const from = await lastIndexedPosition(files, besideLog(listed, base, OFFSET_INDEX_SUFFIX), listed)
  const walk = (begin: number) =>
    withReadOnly(files, logPath, async (fd) => {
      const walked = await walkBatches(
        files,
        fd,
        { from: begin, to: sizeBytes, offsetMin: base, headersOnly: true },
        () => true,
      )
      return { end: walked.nextOffset, position: walked.position, reason: walked.fault?.reason ?? null }
    })
  if (from > 0 && from < sizeBytes) {
    const tail = await walk(from)
    if (tail.position > from) return tail
  }
  return await walk(0)
}

/** An active index is as large as it may grow, with zeros behind its entries: those are found by halving. */
async function lastIndexedPosition(files: ReadOnlyFiles, path: string, { names }: PartitionFiles): Promise<number> {
  if (!names.has(path.slice(path.lastIndexOf('/') + 1))) return 0
  const entries = Math.floor((await files.sizeOf(path)) / INDEX_ENTRY_BYTES)
  return await withReadOnly(files, path, async (fd) => {
    const bytes = Buffer.alloc(INDEX_ENTRY_BYTES)
    const positionAt = async (entry: number): Promise<number> => {
      const got = await readFully(files, fd, bytes, 0, INDEX_ENTRY_BYTES, entry * INDEX_ENTRY_BYTES)
      return got < INDEX_ENTRY_BYTES ? 0 : bytes.readInt32BE(4)
    }
    let low = 0
    let high = entries
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((await positionAt(middle)) > 0) low = middle + 1
      else high = middle
    }
    return low === 0 ? 0 : Math.max(0, await positionAt(low - 1))
  })
}

/** Where the first open transaction begins. */
async function lastStableOffset(
  files: ReadOnlyFiles,
  listed: PartitionFiles,
  end: bigint,
  crc32c: (bytes: Uint8Array) => number,
): Promise<bigint | null> {
  const open = new Map<bigint, bigint>()
  let from = listed.segments[0]?.base ?? 0n
  for (const offset of listed.snapshots.filter((candidate) => candidate <= end).toReversed()) {
    const bytes = await files.readFile(besideLog(listed, offset, SNAPSHOT_SUFFIX))
    const states = bytes === null ? null : decodeProducerSnapshot(bytes, crc32c)
    if (states === null) continue
    for (const { producerId, currentTxnFirstOffset } of states.entries()) {
      if (currentTxnFirstOffset >= 0n) open.set(producerId, currentTxnFirstOffset)
    }
    from = offset
    break
  }
  const later = listed.segments.filter((_, index) => {
    const next = listed.segments[index + 1]
    return from < end && (next === undefined || next.base > from)
  })
  if (later.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0) > WALKED_BYTES_MAX) return null
  for (const segment of later) await followTransactions(files, segment, from, open)
  let stable = end
  for (const offset of open.values()) if (offset < stable) stable = offset
  return stable
}

async function followTransactions(
  files: ReadOnlyFiles,
  { base, logPath, sizeBytes }: SegmentFiles,
  from: bigint,
  open: Map<bigint, bigint>,
): Promise<void> {
  await withReadOnly(files, logPath, async (fd) => {
    await walkBatches(files, fd, { from: 0, to: sizeBytes, offsetMin: base, headersOnly: true }, (view) => {
      if (view.magic < 2 || view.baseOffset < from) return true
      const { producerId } = view
      if (producerId === NO_PRODUCER_ID || !view.isTransactional) return true
      if (view.isControl) open.delete(producerId)
      else if (!open.has(producerId)) open.set(producerId, view.baseOffset)
      return true
    })
  })
}
