/** From the configs of a topic to the settings of its logs. */
import type { TopicConfig } from '../domain/config/topic-config.ts'
import type { Uuid } from '../domain/uuid.ts'
import type { LogOptions } from './ports/log-store.ts'

/** The settings of a log by the configs of its topic. */
export function logOptionsOf(topicId: Uuid, config: TopicConfig): LogOptions {
  return {
    topicId,
    segmentBytes: config.segmentBytes,
    segmentMs: segmentMsOf(config),
    segmentJitterMs: config.segmentJitterMs,
    segmentIndexBytes: config.segmentIndexBytes,
    indexIntervalBytes: config.indexIntervalBytes,
    flushMessages: config.flushMessages,
    flushMs: config.flushMs,
    fileDeleteDelayMs: config.fileDeleteDelayMs,
    preallocate: config.preallocate,
  }
}

/** Compaction cannot look into the active segment: it is rolled in time for `max.compaction.lag.ms` (KIP-354). */
function segmentMsOf({ cleanupPolicy, segmentMs, maxCompactionLagMs }: TopicConfig): bigint {
  return cleanupPolicy.compact && maxCompactionLagMs < segmentMs ? maxCompactionLagMs : segmentMs
}
