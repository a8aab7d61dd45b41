/**
 * Where a broker's keys come from, the weaker first: a properties file, the environment, `--override`. Later ones win;
 * each value remembers where it was written.
 *
 * Environment: `KAFKA_` and the key in upper case with `_` for `.`, `__` for `_` and `___` for `-`, so
 * `KAFKA_LOG_DIRS` is `log.dirs`. Only names that give a known key count: `KAFKA_OPTS` and the like are not ours.
 */
import { authorizerKeys, brokerKey } from '../domain/config/broker-keys.ts'
import { parseProperties } from '../domain/config/properties.ts'

/** The start is refused: one line that says which key, which value and where it was written. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export interface ConfigSetting {
  readonly value: string
  /** `server.properties, line 3`, `environment variable KAFKA_LOG_DIRS`, `--override`. */
  readonly origin: string
}

export type ConfigSettings = ReadonlyMap<string, ConfigSetting>

/** The text of a properties file; `path` is what error messages call it. */
export function settingsOfFile(path: string, text: string): ConfigSettings {
  const { entries, error } = parseProperties(text)
  if (error !== null) throw new ConfigError(`${error.message} (${path}, line ${error.line})`)
  // The key as it stands, the value without blanks at its end: Java keeps them, and drops them when it parses a value.
  return new Map(
    entries.map(({ key, value, line }) => [key, { value: value.trimEnd(), origin: `${path}, line ${line}` }]),
  )
}

export function settingsOfEnvironment(env: Readonly<Record<string, string | undefined>>): ConfigSettings {
  const settings = new Map<string, ConfigSetting>()
  for (const [variable, value] of Object.entries(env)) {
    const key = value === undefined ? null : keyOfVariable(variable)
    if (key !== null) settings.set(key, { value: value ?? '', origin: `environment variable ${variable}` })
  }
  return settings
}

function keyOfVariable(variable: string): string | null {
  if (!variable.startsWith('KAFKA_')) return null
  const letters: Readonly<Record<string, string>> = { _: '.', __: '_', ___: '-' }
  const key = variable
    .slice('KAFKA_'.length)
    .toLowerCase()
    .replace(/_+/g, (run) => letters[run] ?? run)
  return brokerKey(key) !== undefined || authorizerKeys.has(key) ? key : null
}

/** `key=value` as it follows `--override`. */
export function settingsOfOverrides(overrides: readonly string[]): ConfigSettings {
  return new Map(
    overrides.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new ConfigError(`--override needs key=value, not ${text}`)
      return [text.slice(0, at).trim(), { value: text.slice(at + 1), origin: '--override' }]
    }),
  )
}

/** Keys that an embedder gives as they are. */
export function settingsOfRecord(record: Readonly<Record<string, string>>, origin: string): ConfigSettings {
  return new Map(Object.entries(record).map(([key, value]) => [key, { value, origin }]))
}
