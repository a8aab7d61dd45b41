/** Finds records by timestamp: segments by their largest one, a place by the time index, batches by their headers. */
import type {
  BatchMaxTimestampLookup,
  BatchTimestampLookup,
  TimestampOffset,
} from '../../application/ports/log-store.ts'
import type { ScannedBatch } from './batch-scan.ts'
import type { FileSegment } from './file-segment.ts'

/** Where in a log may be looked; the last segment is the active one, whose largest timestamp is in memory. */
export interface SearchRange {
  readonly segments: readonly FileSegment[]
  readonly start: bigint
  readonly end: bigint
  readonly activeMaxTimestamp: bigint
}

interface SegmentMax {
  readonly timestamp: bigint
  /** An offset at or before which the first batch with it ends. */
  readonly offset: bigint
}

async function maxTimestampOf(segment: FileSegment): Promise<SegmentMax> {
  const { time } = await segment.indexes()
  return { timestamp: time.lastTimestamp(), offset: segment.baseOffset + BigInt(time.lastRelativeOffset()) }
}

/** The first batch of a segment, within the range, that has `timestamp` or a later one. */
async function firstBatch(
  segment: FileSegment,
  timestamp: bigint,
  range: SearchRange,
  accepts: (batch: ScannedBatch) => Promise<TimestampOffset | null>,
): Promise<TimestampOffset | null> {
  const indexed = segment.baseOffset + BigInt((await segment.indexes()).time.floorRelativeOffset(timestamp))
  let from = indexed > range.start ? indexed : range.start
  for (;;) {
    let candidate: ScannedBatch | null = null
    await segment.scanFrom(from, (batch) => {
      if (batch.baseOffset >= range.end) return false
      if (batch.maxTimestamp < timestamp) return true
      candidate = batch
      return false
    })
    const batch = candidate as ScannedBatch | null
    if (batch === null) return null
    const found = await accepts(batch)
    if (found !== null) return found
    from = batch.lastOffset + 1n
  }
}

/** The first record with at least `timestamp` at or after the start offset. */
export async function searchTimestamp(
  range: SearchRange,
  timestamp: bigint,
  lookup: BatchTimestampLookup,
): Promise<TimestampOffset | null> {
  for (const [i, segment] of range.segments.entries()) {
    const next = range.segments[i + 1]
    if (next !== undefined && next.baseOffset <= range.start) continue
    if (segment.sizeBytes === 0) continue
    const max = next === undefined ? range.activeMaxTimestamp : (await maxTimestampOf(segment)).timestamp
    // without any entry nothing is known: such a segment is searched
    if (max >= 0n && max < timestamp) continue
    const found = await firstBatch(segment, timestamp, range, async (batch) =>
      lookup(await segment.readBatch(batch), timestamp, range.start),
    )
    if (found !== null) return found
  }
  return null
}

/** The record with the largest timestamp at or after the start offset, the earliest of several. */
export async function searchMaxTimestamp(
  range: SearchRange,
  lookup: BatchMaxTimestampLookup,
): Promise<TimestampOffset | null> {
  let best: { readonly segment: FileSegment; readonly timestamp: bigint } | null = null
  for (const [i, segment] of range.segments.entries()) {
    const next = range.segments[i + 1]
    if (next !== undefined && next.baseOffset <= range.start) continue
    if (segment.sizeBytes === 0) continue
    const timestamp = await maxFrom(segment, range, next === undefined)
    if (timestamp >= 0n && (best === null || timestamp > best.timestamp)) best = { segment, timestamp }
  }
  if (best === null) return null
  const { segment, timestamp } = best
  return await firstBatch(segment, timestamp, range, async (batch) => lookup(await segment.readBatch(batch)))
}

async function maxFrom(segment: FileSegment, range: SearchRange, active: boolean): Promise<bigint> {
  const indexed = await maxTimestampOf(segment)
  // the start offset may have passed the batch with the largest one: then the headers behind it decide
  const cut = range.start > segment.baseOffset && indexed.offset < range.start
  if (!cut && !active && indexed.timestamp >= 0n) return indexed.timestamp
  if (!cut && active && range.start <= segment.baseOffset) return range.activeMaxTimestamp
  let max = -1n
  await segment.scanFrom(range.start > segment.baseOffset ? range.start : segment.baseOffset, (batch) => {
    if (batch.baseOffset >= range.end) return false
    if (batch.maxTimestamp > max) max = batch.maxTimestamp
    return true
  })
  return max
}
