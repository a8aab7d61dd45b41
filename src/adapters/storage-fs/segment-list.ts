/** Looking through the segments of a log, oldest first. */
import type { AbortedTransaction } from '../../domain/log/aborted-transaction.ts'
import type { FileSegment } from './file-segment.ts'
import type { StorageContext } from './storage-context.ts'

/** The index of the last segment that begins at or before `offset`; the first one when none does. */
export function floorSegment(segments: readonly FileSegment[], offset: bigint): number {
  let low = 0
  let high = segments.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (segments[middle]!.baseOffset <= offset) low = middle
    else high = middle - 1
  }
  return low
}

/** The closed segments from base offset `from` up to base offset `before`; null when either is none's base. */
export function segmentsBetween(
  segments: readonly FileSegment[],
  from: bigint,
  before: bigint,
): readonly FileSegment[] | null {
  const first = segments.findIndex((segment) => segment.baseOffset === from)
  const end = segments.findIndex((segment) => segment.baseOffset === before)
  if (from >= before) throw new RangeError(`no segments lie between ${from} and ${before}`)
  return first < 0 || end < 0 ? null : segments.slice(first, end)
}

/** Whether `old` still are neighbours in `segments`, and the segment with base offset `before` follows them. */
export function sameSegments(segments: readonly FileSegment[], old: readonly FileSegment[], before: bigint): boolean {
  const at = segments.indexOf(old[0]!)
  if (at < 0 || old.some((segment, i) => segments[at + i] !== segment)) return false
  return segments[at + old.length]?.baseOffset === before
}

/** The aborted transactions that reach into [from, before); `segments` begin with the one that holds `from`. */
export async function collectAborted(
  segments: readonly FileSegment[],
  from: bigint,
  before: bigint,
): Promise<AbortedTransaction[]> {
  const found: AbortedTransaction[] = []
  for (const segment of segments) {
    for (const transaction of await segment.aborted()) {
      if (transaction.lastOffset < from) continue
      if (transaction.firstOffset < before) found.push(transaction)
      // no transaction that ends later began earlier
      if (transaction.lastStableOffset >= before) return found
    }
  }
  return found
}

/** Brings what lies in [from, to) to the disk, and the names of the segments that began there. */
export async function syncSegments(
  { fs, files }: StorageContext,
  folder: string,
  segments: readonly FileSegment[],
  from: bigint,
  to: bigint,
): Promise<void> {
  const reached = segments.filter((segment, i) => {
    const next = segments[i + 1]
    return segment.baseOffset < to && (next === undefined || next.baseOffset > from)
  })
  for (const { logPath } of reached) await files.use(logPath, (fd) => fs.sync(fd))
  if (reached.length > 1 || reached[0]?.baseOffset === from) await fs.syncDirectory(folder)
}
