/**
 * Which configs a group and a client metrics subscription may have; for topics see `topic-rules.ts`.
 */
import type { KafkaError } from '../errors.ts'
import type { BrokerConfig, ConfigTexts } from './broker-config.ts'
import { clientMetricsKeys } from './client-metrics-keys.ts'
import { parseConfig } from './config-value.ts'
import { groupKeys } from './group-keys.ts'
import { checkGroupLimits } from './limits.ts'

export interface ConfigRefusal {
  readonly error: KafkaError
  readonly message: string
}

function invalidConfig(message: string): ConfigRefusal {
  return { error: 'INVALID_CONFIG', message }
}

function invalidRequest(message: string): ConfigRefusal {
  return { error: 'INVALID_REQUEST', message }
}

/** What is wrong with a group's own configs as a whole, or null. */
export function validateGroupTexts(texts: ConfigTexts, broker: BrokerConfig): ConfigRefusal | null {
  for (const name of texts.keys()) {
    if (!groupKeys.has(name)) return invalidConfig(`Unknown group config name: ${name}`)
  }
  for (const [name, text] of texts) {
    const key = groupKeys.get(name)
    const error = key === undefined ? null : parseConfig(key, text).error
    if (error !== null) return invalidConfig(error)
  }
  const error = checkGroupLimits((name) => groupNumber(name, texts, broker), broker)
  return error === null ? null : invalidConfig(error)
}

function groupNumber(name: string, texts: ConfigTexts, broker: BrokerConfig): number {
  const key = groupKeys.get(name)
  const text = texts.get(name)
  if (key !== undefined && text !== undefined) return parseConfig(key, text).value as number
  return broker.number(`group.${name}`)
}

const INTERVAL_MS_MIN = 100
const INTERVAL_MS_MAX = 3_600_000
const selectors = new Set([
  'client_id',
  'client_instance_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
])

/** What is wrong with a subscription's configs as a whole, or null (KIP-714). */
export function validateClientMetricsTexts(texts: ConfigTexts): ConfigRefusal | null {
  for (const name of texts.keys()) {
    if (!clientMetricsKeys.has(name)) return invalidRequest(`Unknown client metrics configuration: ${name}`)
  }
  for (const [name, text] of texts) {
    const parsed = parseConfig(clientMetricsKeys.get(name)!, text)
    if (parsed.error !== null) return invalidConfig(parsed.error)
    if (name === 'interval.ms') {
      const ms = parsed.value as number
      if (ms < INTERVAL_MS_MIN || ms > INTERVAL_MS_MAX) {
        const range = `interval must be between ${INTERVAL_MS_MIN} and ${INTERVAL_MS_MAX} (1 hour)`
        return invalidRequest(`Invalid value ${ms} for interval.ms, ${range}`)
      }
    }
    if (name === 'match') {
      const wrong = (parsed.value as readonly string[]).find((pattern) => !isClientPattern(pattern))
      if (wrong !== undefined) return invalidConfig(`Illegal client matching pattern: ${wrong}`)
    }
  }
  return null
}

function isClientPattern(pattern: string): boolean {
  const [selector = '', expression, ...rest] = pattern.split('=')
  if (expression === undefined || rest.length > 0 || !selectors.has(selector.trim())) return false
  try {
    new RegExp(expression.trim())
    return true
  } catch {
    // A RegExp that does not compile is what this function asks about.
    return false
  }
}
