/**
 * What the regular expressions of a consumer group stand for. As on a real broker a heartbeat never waits for it: this
 * is decided right after, and the members hear of it with their next heartbeats.
 */
import type { ConsumerGroupContext } from './consumer-decision.ts'
import { epochRecord, type ConsumerGroup } from './consumer-group.ts'
import { sameNames, type ConsumerGroupRecord } from './consumer-member.ts'
import { hashOfSubscriptions } from './consumer-topics.ts'
import type { RegularExpressionValue } from './group-record.ts'

/** However often topics change, all patterns are held against them once in this time. */
const REFRESH_LEAST_MS = 10_000n

export interface RegexDecision {
  readonly records: readonly ConsumerGroupRecord[]
  /** Whether the patterns were held against the topics: to be noted in the group. */
  readonly refreshed: boolean
}

export function decideRegexes(group: ConsumerGroup, context: ConsumerGroupContext): RegexDecision {
  const patterns = group.subscribedRegexes()
  if (!isDue(group, patterns, context)) return { records: [], refreshed: false }
  const { image, nowMs, compilePattern } = context
  const names = [...image.topicsByName.keys()].sort()
  const resolved = new Map<string, RegularExpressionValue>(group.regexes)
  const records: ConsumerGroupRecord[] = []
  let moved = false
  for (const regularExpression of patterns) {
    const pattern = compilePattern(regularExpression)
    // One that this engine cannot read, from a log of another broker, stands for nothing.
    const topics = 'error' in pattern ? [] : names.filter((name) => pattern.matches(name))
    const before = group.regexes.get(regularExpression)
    if (before !== undefined && sameNames(before.topics, topics)) continue
    const value = { topics, version: image.offset, timestamp: nowMs }
    resolved.set(regularExpression, value)
    records.push({ type: 'ConsumerGroupRegularExpression', key: { groupId: group.groupId, regularExpression }, value })
    moved ||= !sameNames(before?.topics ?? [], topics)
  }
  if (moved) {
    const hash = hashOfSubscriptions(group.members.values(), resolved, image)
    records.push(epochRecord(group.groupId, group.epoch + 1, hash))
  }
  return { records, refreshed: true }
}

function isDue(
  { regexes, regexesSeen }: ConsumerGroup,
  patterns: readonly string[],
  { image, nowMs, settings }: ConsumerGroupContext,
): boolean {
  if (patterns.length === 0) return false
  if (regexesSeen === null || patterns.some((pattern) => !regexes.has(pattern))) return true
  const sinceMs = nowMs - regexesSeen.atMs
  if (sinceMs >= BigInt(settings.regexRefreshIntervalMs)) return true
  return image.topicsByName !== regexesSeen.topics && (sinceMs >= REFRESH_LEAST_MS || sinceMs < 0n)
}
