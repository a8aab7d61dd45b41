/**
 * Retention of one log: takes the segments that are below its start offset, too many bytes, or too old. When that is
 * all of them, a new one begins first, so that the log keeps its end.
 */
import { countBelowStart, countOverSize, isExpired, mayGo } from '../../../domain/log/retention.ts'
import type { SegmentFacts } from '../../ports/log-store.ts'
import type { Upkeep } from '../../upkeep.ts'

/** What a pass took away. */
export interface Retained {
  readonly segments: number
  readonly bytes: number
  /** The log start offset afterwards. */
  readonly start: bigint
}

/** null = nothing was due. @throws StorageError */
export async function retainLog(upkeep: Upkeep, nowMs: bigint): Promise<Retained | null> {
  const { log } = upkeep
  const segments = log.segments()
  const due = await countDue(upkeep, segments, nowMs)
  if (due === 0) return null
  let start = segments[due]?.baseOffset
  if (start === undefined) {
    if ((await upkeep.roll()) === 'conflict') return null
    start = log.segments().at(-1)!.baseOffset
  }
  await log.trim(start)
  const bytes = segments.slice(0, due).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return { segments: due, bytes, start: log.range().start }
}

async function countDue(upkeep: Upkeep, segments: readonly SegmentFacts[], nowMs: bigint): Promise<number> {
  const { log, config, highWatermark } = upkeep
  const bounds = { ...log.range(), highWatermark }
  let count = countBelowStart(segments, bounds)
  if (!config.cleanupPolicy.delete) return count
  count += countOverSize(segments, count, config, bounds)
  if (config.retentionMs < 0n) return count
  for (; count < segments.length && mayGo(segments, count, bounds); count++) {
    const largest = await log.largestTimestamp(segments[count]!.baseOffset)
    if (largest === 'conflict' || !isExpired(largest, config, nowMs)) break
  }
  return count
}
