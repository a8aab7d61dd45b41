/**
 * What is known of a configuration key: name, type, default, range. The tables (`broker-keys/`, `topic-keys.ts`,
 * `group-keys.ts`, `client-metrics-keys.ts`) are rows of Kafka's own notation; parsing and validating a value is
 * `config-value.ts`.
 */

export type ConfigType = 'BOOLEAN' | 'STRING' | 'INT' | 'SHORT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD'

export type Importance = 'HIGH' | 'MEDIUM' | 'LOW'

/** How a broker key may change at run time: not at all, for one broker, or also for the whole cluster. */
export type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide'

/** In the default column: the key has no default and must be set. */
export const REQUIRED = undefined

/** Text as it stands in a properties file; null = no value; undefined = required. Lists are joined by commas. */
type Default = string | null | undefined

/**
 * Which values are allowed, in Kafka's notation ('' = all of the type):
 * `[1,...,9]` (a range, either end may be missing), `[1,...,9] or -1`, `[compact, delete]` (for a list: of each
 * element), `(case insensitive) [A, B]`, `non-null string`, `non-empty string`, `non-empty` (a list with an element),
 * and the two formats `throttled replicas` and `share.auto.offset.reset`.
 */
type Valid = string

/** `internal` = not shown unless set; `dynamic only` = no static form, shown only when set. */
type Visibility = 'internal' | 'dynamic only'

export type BrokerRow = readonly [
  name: string,
  type: ConfigType,
  defaultValue: Default,
  valid: Valid,
  importance: Importance,
  update: UpdateMode,
  visibility?: Visibility,
]

/** A broker key that gives the value of a topic or group key: alone, or with the factor that turns its unit. */
export type ServerSynonym = string | readonly [name: string, factor: bigint]

export type ResourceRow = readonly [
  name: string,
  type: ConfigType,
  defaultValue: Default,
  valid: Valid,
  importance: Importance,
  /** Broker keys asked in this order when the resource does not set the key; the first one is its counterpart. */
  serverSynonyms: readonly ServerSynonym[],
  visibility?: Visibility,
]

export interface ConfigDefinition {
  readonly name: string
  readonly type: ConfigType
  readonly defaultValue: Default
  readonly valid: Valid
  readonly importance: Importance
  /** Broker keys only; others are never read-only. */
  readonly update: UpdateMode
  readonly internal: boolean
  readonly dynamicOnly: boolean
  /** Topic and group keys only. */
  readonly serverSynonyms: readonly { readonly name: string; readonly factor: bigint }[]
}

export type ConfigDefinitions = ReadonlyMap<string, ConfigDefinition>

function define(
  row: BrokerRow | ResourceRow,
  update: UpdateMode,
  serverSynonyms: ConfigDefinition['serverSynonyms'],
): [string, ConfigDefinition] {
  const [name, type, defaultValue, valid, importance] = row
  const visibility = row[6]
  const definition = {
    name,
    type,
    defaultValue,
    valid,
    importance,
    update,
    internal: visibility === 'internal',
    dynamicOnly: visibility === 'dynamic only',
    serverSynonyms,
  }
  return [name, definition]
}

/** Sorted by name, the order in which they are described. */
export function defineBrokerKeys(tables: readonly (readonly BrokerRow[])[]): ConfigDefinitions {
  const rows = tables.flat().sort((a, b) => (a[0] < b[0] ? -1 : 1))
  return new Map(rows.map((row) => define(row, row[5], [])))
}

/** The keys of topics, groups and client metrics: all of them can be changed at run time. */
export function defineResourceKeys(rows: readonly ResourceRow[]): ConfigDefinitions {
  return new Map(
    rows.map((row) => {
      const synonyms = row[5].map((synonym) =>
        typeof synonym === 'string' ? { name: synonym, factor: 1n } : { name: synonym[0], factor: synonym[1] },
      )
      return define(row, 'cluster-wide', synonyms)
    }),
  )
}
