/**
 * Which part of a log is due for compaction and how its segments are merged: Kafka's rules over offsets, sizes and
 * times. A log is clean below its first dirty offset (the cleaner checkpoint), dirty from there on, and never cleaned
 * at or past its active segment, its last stable offset, or what `min.compaction.lag.ms` protects.
 */
import type { SizedSegment } from './retention.ts'

/** What part of a log may be compacted now. */
export interface CleanableRange {
  readonly firstDirtyOffset: bigint
  /** The base offset of the first segment that stays out; everything before it may be rewritten. */
  readonly firstUncleanableOffset: bigint
  readonly cleanableBytes: number
  /** The cleanable part of what is clean or cleanable; 0 when there is nothing. */
  readonly ratio: number
}

/**
 * The first dirty offset: the checkpoint, unless it lies outside of the log (records were deleted, or the log was cut);
 * then everything is dirty.
 */
export function firstDirtyOffset(checkpoint: bigint | null, start: bigint, end: bigint): bigint {
  return checkpoint === null || checkpoint < start || checkpoint > end ? start : checkpoint
}

/** The closed segments that reach past the first dirty offset. */
export function dirtySegments<S extends SizedSegment>(segments: readonly S[], firstDirty: bigint): readonly S[] {
  return segments.filter((_, i) => {
    const next = segments[i + 1]
    return next !== undefined && next.baseOffset > firstDirty
  })
}

/**
 * @param segments of the whole log, the active one last
 * @param uncleanable where records begin that must stay: the last stable offset, or the first segment that is too young
 */
export function cleanableRange(
  segments: readonly SizedSegment[],
  firstDirty: bigint,
  uncleanable: bigint,
): CleanableRange {
  const bound = uncleanable > firstDirty ? uncleanable : firstDirty
  // the segment that holds the bound stays out, and so does the active one
  const holder = segments.findLastIndex((segment) => segment.baseOffset <= bound)
  const out = Math.max(Math.min(holder, segments.length - 1), 0)
  const firstUncleanableOffset = segments[out]!.baseOffset
  let cleanBytes = 0
  let cleanableBytes = 0
  segments.forEach(({ baseOffset, sizeBytes }, i) => {
    const dirty = (segments[i + 1]?.baseOffset ?? firstUncleanableOffset) > firstDirty && i < out
    if (dirty) cleanableBytes += sizeBytes
    if (baseOffset < firstDirty) cleanBytes += sizeBytes
  })
  const total = cleanBytes + cleanableBytes
  return {
    firstDirtyOffset: firstDirty,
    firstUncleanableOffset,
    cleanableBytes,
    ratio: total === 0 ? 0 : cleanableBytes / total,
  }
}

/** By how many milliseconds the oldest dirty record is past `max.compaction.lag.ms`; 0 = it is not. */
export function overdueMs(oldestTimestamp: bigint | null, maxCompactionLagMs: bigint, nowMs: bigint): bigint {
  if (oldestTimestamp === null) return 0n
  const waited = nowMs - maxCompactionLagMs - oldestTimestamp
  return waited > 0n ? waited : 0n
}

export interface MergeLimits {
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
}

/** Segments that become one: from the first one's base up to, but not including, `before`. */
export interface SegmentGroup {
  readonly from: bigint
  readonly before: bigint
}

const RELATIVE_OFFSET_MAX = 0x7fff_ffffn
const TIME_ENTRY_BYTES = 12

/**
 * Merges neighbours as long as their sizes (before compaction) fit into one segment and its index, and their offsets
 * can be told relative to the first one's base.
 * @param segments of the whole log; those from the first one up to `before` are grouped
 */
export function groupSegments(segments: readonly SizedSegment[], before: bigint, limits: MergeLimits): SegmentGroup[] {
  const groups: { from: bigint; before: bigint; sizeBytes: number; indexBytes: number }[] = []
  segments.forEach(({ baseOffset, sizeBytes }, i) => {
    const next = segments[i + 1]
    if (next === undefined || baseOffset >= before) return
    // an entry is due after more than the interval: it is an upper bound of what the index may take
    const indexBytes = Math.ceil(sizeBytes / Math.max(1, limits.indexIntervalBytes)) * TIME_ENTRY_BYTES
    const group = groups.at(-1)
    const merges =
      group !== undefined &&
      group.sizeBytes + sizeBytes <= limits.segmentBytes &&
      group.indexBytes + indexBytes <= limits.segmentIndexBytes &&
      next.baseOffset - 1n - group.from <= RELATIVE_OFFSET_MAX
    if (merges) {
      group.before = next.baseOffset
      group.sizeBytes += sizeBytes
      group.indexBytes += indexBytes
    } else groups.push({ from: baseOffset, before: next.baseOffset, sizeBytes, indexBytes })
  })
  return groups.map(({ from, before: end }) => ({ from, before: end }))
}
