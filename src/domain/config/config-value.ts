/**
 * The text of a configuration value ↔ its typed value, refused with the words of Apache Kafka's `ConfigDef`.
 *
 * Numbers follow Java: `+5` and blanks around are fine, `0x10` and `1e3` are no integers. Not here: Java's
 * hexadecimal floating point, and whether a CLASS exists.
 */
import type { ConfigDefinition, ConfigType } from './config-definition.ts'

/** BOOLEAN, INT/SHORT/DOUBLE, LONG, STRING/CLASS/PASSWORD, LIST, in this order; null = no value. */
export type ConfigValue = boolean | number | bigint | string | readonly string[] | null

export type ParsedConfig =
  { readonly value: ConfigValue; readonly error: null } | { readonly value?: never; readonly error: string }

/** Reads and checks what was set for a key. */
export function parseConfig(definition: ConfigDefinition, text: string): ParsedConfig {
  const parsed = parseType(definition.name, definition.type, text)
  if (parsed.error !== null) return parsed
  const error = checkValid(definition, parsed.value)
  return error === null ? parsed : { error }
}

/** The value of a key that nobody sets; null also for a key that must be set. */
export function defaultConfig(definition: ConfigDefinition): ConfigValue {
  if (definition.defaultValue === null || definition.defaultValue === undefined) return null
  return parseType(definition.name, definition.type, definition.defaultValue).value ?? null
}

/** The text that Kafka shows for a value: `TRUE` is described as `true`, ` 5 ` as `5`. */
export function formatConfig(type: ConfigType, value: ConfigValue): string | null {
  if (value === null) return null
  if (typeof value === 'object') return value.join(',')
  return type === 'DOUBLE' ? formatDouble(value as number) : String(value)
}

export function invalidValue(name: string, value: string, why: string): string {
  return `Invalid value ${value} for configuration ${name}: ${why}`
}

const LONG_MAX = 2n ** 63n - 1n
const INTEGER = /^[+-]?\d+$/
const DECIMAL = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)$/

function parseType(name: string, type: ConfigType, text: string): ParsedConfig {
  const trimmed = javaTrim(text)
  switch (type) {
    case 'BOOLEAN': {
      const lower = trimmed.toLowerCase()
      if (lower === 'true' || lower === 'false') return { value: lower === 'true', error: null }
      return { error: invalidValue(name, text, 'Expected value to be either true or false') }
    }
    case 'SHORT':
    case 'INT':
    case 'LONG':
      return parseInteger(name, type, text, trimmed)
    case 'DOUBLE':
      if (!DECIMAL.test(trimmed)) return { error: invalidValue(name, text, 'Not a number of type DOUBLE') }
      return { value: Number(trimmed.replace(/[fFdD]$/, '')), error: null }
    case 'LIST':
      return { value: trimmed === '' ? [] : trimmed.split(/\s*,\s*/), error: null }
    case 'STRING':
    case 'CLASS':
    case 'PASSWORD':
      return { value: trimmed, error: null }
  }
}

function parseInteger(name: string, type: 'SHORT' | 'INT' | 'LONG', text: string, trimmed: string): ParsedConfig {
  // A longer number than this is out of range without asking; leading zeros are as rare as they are legal.
  if (INTEGER.test(trimmed) && trimmed.length <= 1000) {
    const value = BigInt(trimmed.replace(/^\+/, ''))
    const max = type === 'LONG' ? LONG_MAX : type === 'INT' ? 0x7fff_ffffn : 0x7fffn
    if (value >= -max - 1n && value <= max) return { value: type === 'LONG' ? value : Number(value), error: null }
  }
  return { error: invalidValue(name, text, `Not a number of type ${type}`) }
}

/** Java's `String.trim`: everything up to the blank goes, Unicode's other blanks stay. */
function javaTrim(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && text.charCodeAt(from) <= 0x20) from++
  while (to > from && text.charCodeAt(to - 1) <= 0x20) to--
  return text.slice(from, to)
}

function checkValid(definition: ConfigDefinition, value: ConfigValue): string | null {
  const { name, valid } = definition
  if (definition.type === 'LIST') return checkList(name, valid, value as readonly string[])
  if (valid === '' || value === null) return null
  if (typeof value === 'number' || typeof value === 'bigint') {
    const why = outOfRange(valid, value)
    return why === null ? null : invalidValue(name, formatConfig(definition.type, value) ?? '', why)
  }
  const text = String(value)
  if (valid === 'non-null string') return null
  if (valid === 'non-empty string') return text === '' ? invalidValue(name, text, 'String must be non-empty') : null
  if (valid === 'share.auto.offset.reset') return checkOffsetReset(name, text)
  const anyCase = valid.startsWith('(case insensitive)')
  const allowed = namesIn(valid)
  const found = anyCase ? allowed.includes(text.toUpperCase()) : allowed.includes(text)
  if (found) return null
  return invalidValue(name, text, `String must be one of${anyCase ? ' (case insensitive)' : ''}: ${allowed.join(', ')}`)
}

function outOfRange(valid: string, value: number | bigint): string | null {
  const [, low = '', high = ''] = /^\[(-?[\d.]*?),?\.\.\.,?(-?[\d.]*)\]/.exec(valid) ?? []
  const tooLow = low !== '' && value < Number(low)
  const tooHigh = high !== '' && value > Number(high)
  if (valid.endsWith(' or -1')) {
    return (tooLow || tooHigh) && value !== -1 ? `Value must be between ${low} and ${high} or equal to -1` : null
  }
  if (tooLow) return `Value must be at least ${low}`
  return tooHigh ? `Value must be no more than ${high}` : null
}

function checkList(name: string, valid: string, values: readonly string[]): string | null {
  if (valid === 'throttled replicas') return checkThrottledReplicas(name, values)
  const allowed = namesIn(valid)
  if (valid.startsWith('non-empty') && values.length === 0) {
    const choice = allowed.length === 0 ? 'any non-empty value' : `[${allowed.join(', ')}]`
    return `Configuration '${name}' must not be empty. Valid values include: ${choice}`
  }
  if (values.includes('')) return `Configuration '${name}' values must not be empty.`
  const wrong = allowed.length === 0 ? undefined : values.find((value) => !allowed.includes(value))
  return wrong === undefined ? null : invalidValue(name, wrong, `String must be one of: ${allowed.join(', ')}`)
}

function namesIn(valid: string): readonly string[] {
  const inside = /\[(.*)\]/.exec(valid)?.[1]
  return inside === undefined ? [] : inside.split(', ')
}

function checkThrottledReplicas(name: string, values: readonly string[]): string | null {
  const wildcard = values.length === 1 && values[0] === '*'
  if (wildcard || values.every((value) => /^\d+:\d+$/.test(value))) return null
  const format = '[partitionId]:[brokerId],[partitionId]:[brokerId],...'
  const why = `${name} must be the literal '*' or a list of replicas in the following format: ${format}`
  return invalidValue(name, `[${values.join(', ')}]`, why)
}

const DURATION = /^by_duration:(?!-)P(?=.)(?:\+?\d+D)?(?:T(?=.)(?:\+?\d+H)?(?:\+?\d+M)?(?:\+?\d+(?:[.,]\d{0,9})?S)?)?$/i

function checkOffsetReset(name: string, text: string): string | null {
  if (text === 'latest' || text === 'earliest' || DURATION.test(text)) return null
  const why =
    `Invalid value \`${text}\` for configuration ${name}. The value must be either 'earliest', 'latest' ` +
    `or of the format 'by_duration:<PnDTnHnMn.nS>'.`
  return invalidValue(name, text, why)
}

/** As Java's `Double.toString` writes it: always with a point, with an exponent below 0.001 and from ten million on. */
function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (size === 0 || (size >= 1e-3 && size < 1e7)) {
    const text = Object.is(value, -0) ? '-0' : String(value)
    return text.includes('.') ? text : `${text}.0`
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent.replace('+', '')}`
}
