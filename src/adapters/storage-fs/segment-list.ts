/** Looking through the segments of a log, oldest first. */
import { type AbortedTransaction, firstAbortedFrom } from '../../domain/log/aborted-transaction.ts'
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
    const aborted = await segment.aborted.all()
    for (let i = firstAbortedFrom(aborted, from); i < aborted.length; i++) {
      const transaction = aborted[i]!
      if (transaction.firstOffset < before) found.push(transaction)
      // no transaction that ends later began earlier
      if (transaction.lastStableOffset >= before) return found
    }
  }
  return found
}

/** Makes `aborted` the transactions whose markers lie in the segments from the one with `from` on, on the disk too. */
export async function restoreAborted(
  { fs }: StorageContext,
  folder: string,
  segments: readonly FileSegment[],
  from: bigint,
  aborted: readonly AbortedTransaction[],
): Promise<void> {
  for (let s = floorSegment(segments, from); s < segments.length; s++) {
    const segment = segments[s]!
    const next = segments[s + 1]
    const begin = from > segment.baseOffset ? from : segment.baseOffset
    const kept =
      begin === segment.baseOffset ? [] : (await segment.aborted.all()).filter((one) => one.lastOffset < from)
    const end = next === undefined ? aborted.length : firstAbortedFrom(aborted, next.baseOffset)
    await segment.aborted.restore([...kept, ...aborted.slice(firstAbortedFrom(aborted, begin), end)])
  }
  await fs.syncDirectory(folder)
}

/** Brings what lies in [from, to) to the disk, and the names of the segments that began there. */
export async function syncSegments(
  { fs }: StorageContext,
  folder: string,
  segments: readonly FileSegment[],
  from: bigint,
  to: bigint,
): Promise<void> {
  const reached = segments.filter((segment, i) => {
    const next = segments[i + 1]
    return segment.baseOffset < to && (next === undefined || next.baseOffset > from)
  })
  let named = reached.length > 1 || reached[0]?.baseOffset === from
  for (const segment of reached) if (await segment.sync()) named = true
  if (named) await fs.syncDirectory(folder)
}
