/**
 * Which segments of a log retention takes (`retention.ms`, `retention.bytes`, the log start offset), as Kafka decides
 * it: always a run of whole segments from the oldest on, ended by the first one that a rule wants to keep. Sizes are
 * those of the record data, without indexes.
 *
 * `local.retention.*` bound what a broker keeps beside a remote copy. Without tiered storage there is none, and they
 * mean nothing, as in Kafka.
 */

/** One segment; the last one of a list is the active one. */
export interface SizedSegment {
  readonly baseOffset: bigint
  readonly sizeBytes: number
}

/** Where a log begins and up to where its readers see it. */
export interface LogBounds {
  readonly start: bigint
  readonly end: bigint
  readonly highWatermark: bigint
}

/** Longs below zero in either setting: no limit. */
export interface RetentionRules {
  readonly retentionMs: bigint
  readonly retentionBytes: bigint
}

/**
 * Whether any rule may take segment `i`: all that it holds is below the high watermark, and it is not the empty active
 * one, which nothing is gained by replacing.
 */
export function mayGo(segments: readonly SizedSegment[], i: number, { end, highWatermark }: LogBounds): boolean {
  const next = segments[i + 1]
  if (next === undefined && segments[i]!.sizeBytes === 0) return false
  return highWatermark >= (next?.baseOffset ?? end)
}

/** How many segments from the oldest on lie wholly below the log start offset. The active one never does. */
export function countBelowStart(segments: readonly SizedSegment[], bounds: LogBounds): number {
  let count = 0
  while (count + 1 < segments.length && segments[count + 1]!.baseOffset <= bounds.start) {
    if (!mayGo(segments, count, bounds)) break
    count++
  }
  return count
}

/**
 * How many of the segments from number `from` on go, so that what is left is still at least `retention.bytes`: a
 * segment goes only when the log is too large by all of it.
 */
export function countOverSize(
  segments: readonly SizedSegment[],
  from: number,
  { retentionBytes }: RetentionRules,
  bounds: LogBounds,
): number {
  if (retentionBytes < 0n) return 0
  let over = -retentionBytes
  for (let i = from; i < segments.length; i++) over += BigInt(segments[i]!.sizeBytes)
  let count = 0
  for (let i = from; i < segments.length && mayGo(segments, i, bounds); i++) {
    over -= BigInt(segments[i]!.sizeBytes)
    if (over < 0n) break
    count++
  }
  return count
}

/**
 * Whether a segment is past `retention.ms`. Its age is that of its newest record; one from the future is kept until
 * that moment has come and gone.
 */
export function isExpired(largestTimestamp: bigint, { retentionMs }: RetentionRules, nowMs: bigint): boolean {
  return retentionMs >= 0n && nowMs - largestTimestamp > retentionMs
}
