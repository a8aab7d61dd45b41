/**
 * Which configs a topic may have: for CreateTopics, and for what a change would leave behind.
 */
import type { ConfigTexts } from './broker-config.ts'
import { parseConfig } from './config-value.ts'
import { topicKeys } from './topic-keys.ts'

/**
 * The message of the INVALID_CONFIG that a real controller answers to CreateTopics with these configs, or null.
 * The last of several entries with one name counts.
 */
export function validateTopicConfigs(
  entries: readonly { readonly name: string; readonly value: string | null }[],
): string | null {
  const nulls = entries.filter((entry) => entry.value === null).map((entry) => entry.name)
  if (nulls.length > 0) return `Null value not supported for topic configs: ${nulls.join(',')}`
  return validateTopicTexts(new Map(entries.map(({ name, value }) => [name, value ?? ''])))
}

/** What is wrong with a topic's own configs as a whole, or null. */
export function validateTopicTexts(texts: ConfigTexts): string | null {
  for (const name of texts.keys()) {
    if (!topicKeys.has(name)) return `Unknown topic config name: ${name}`
  }
  for (const [name, text] of texts) {
    const key = topicKeys.get(name)
    const error = key === undefined ? null : parseConfig(key, text).error
    if (error !== null) return error
  }
  // Only the topic's own values are compared: a broker default may well be on the other side.
  const minLag = valueOf('min.compaction.lag.ms', texts) as bigint
  const maxLag = valueOf('max.compaction.lag.ms', texts) as bigint
  if (minLag > maxLag) {
    return `conflict topic config setting min.compaction.lag.ms (${String(minLag)}) > max.compaction.lag.ms (${String(maxLag)})`
  }
  if (valueOf('remote.storage.enable', texts) === true) {
    return 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'
  }
  return null
}

function valueOf(name: string, texts: ConfigTexts): unknown {
  const key = topicKeys.get(name)
  if (key === undefined) throw new TypeError(`${name} is no topic key`)
  const parsed = parseConfig(key, texts.get(name) ?? key.defaultValue ?? '')
  return parsed.value
}
