/**
 * Which names a topic may have. The texts are those that Kafka sends in error messages.
 */

/** So that `<name>-<partition>` and the suffixes of deleted folders fit into 255 bytes. */
const LENGTH_MAX = 249

/** The topic of the metadata log: never a topic that clients see, create or delete. */
export const METADATA_TOPIC = '__cluster_metadata'

/** Why a name is refused (INVALID_TOPIC_EXCEPTION), or null when it is legal. */
export function topicNameProblem(name: string): string | null {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`
  if (name.length > LENGTH_MAX) {
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${LENGTH_MAX}`
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  }
  return null
}

/**
 * Finds the existing topic that a new name would be confused with: metric names turn `.` into `_`, so that `a.b` and
 * `a_b` are one there.
 */
export class CollidingNames {
  readonly #existing: ReadonlyMap<string, unknown>
  /** Every existing name that holds `.` or `_`, by its form with `_`: the smallest one. Made on first use. */
  #byUnified: ReadonlyMap<string, string> | null = null

  constructor(existing: ReadonlyMap<string, unknown>) {
    this.#existing = existing
  }

  /** The existing topic that `name` collides with, null when there is none or when `name` itself exists. */
  collision(name: string): string | null {
    if (!/[._]/.test(name) || this.#existing.has(name)) return null
    this.#byUnified ??= unifiedNames(this.#existing.keys())
    return this.#byUnified.get(unified(name)) ?? null
  }
}

function unified(name: string): string {
  return name.replaceAll('.', '_')
}

function unifiedNames(names: Iterable<string>): ReadonlyMap<string, string> {
  const byUnified = new Map<string, string>()
  for (const name of names) {
    const key = unified(name)
    const other = byUnified.get(key)
    if (other === undefined || name < other) byUnified.set(key, name)
  }
  return byUnified
}
