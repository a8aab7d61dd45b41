/**
 * A schema seen at one version: which fields are there, which may be null, which are tagged. What the compilers of
 * readers and writers share, with the source text of default values.
 */
import { type ArrayField, type Field, type Fields, inRange, type Message, type ScalarType } from './schema.ts'

export interface PlannedField {
  readonly name: string
  readonly field: Field
  readonly present: boolean
  readonly nullable: boolean
  readonly tag: number | undefined
  /** Lengths are unsigned varints. */
  readonly compact: boolean
}

/** What a compiler needs to know of the message as a whole. */
export interface Plan {
  /** For error messages: `FetchRequest v12`. */
  readonly title: string
  readonly version: number
  readonly flexible: boolean
}

export function planOf(message: Message, version: number): Plan {
  if (!inRange(version, message.versions)) throw new TypeError(`${message.name} has no version ${version}`)
  return { title: `${message.name} v${version}`, version, flexible: inRange(version, message.flexible) }
}

export function planFields(fields: Fields, plan: Plan): readonly PlannedField[] {
  return Object.entries(fields).map(([name, field]) => ({
    name,
    field,
    present: inRange(plan.version, field.versions),
    nullable: inRange(plan.version, field.nullable),
    tag: field.tag,
    compact: plan.flexible && field.compact,
  }))
}

/** In the order of the wire: ascending tags. */
export function taggedFields(fields: readonly PlannedField[]): readonly (PlannedField & { tag: number })[] {
  return fields
    .filter((f): f is PlannedField & { tag: number } => f.present && f.tag !== undefined)
    .sort((a, b) => a.tag - b.tag)
}

export const FIXED_BYTES: Partial<Record<ScalarType, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

/** The fewest bytes that a struct can have: what an array of them must have left for each. */
export function structBytesMin(fields: Fields, plan: Plan): number {
  let bytes = plan.flexible ? 1 : 0
  for (const planned of planFields(fields, plan)) {
    if (planned.present && planned.tag === undefined) bytes += fieldBytesMin(planned, plan)
  }
  return bytes
}

function fieldBytesMin({ field, nullable, compact }: PlannedField, plan: Plan): number {
  if (field.type === 'struct') return nullable ? 1 : structBytesMin(field.fields, plan)
  if (field.type === 'array') return compact ? 1 : 4
  return scalarBytesMin(field.type, compact)
}

export function scalarBytesMin(type: ScalarType, compact: boolean): number {
  return FIXED_BYTES[type] ?? (compact ? 1 : type === 'string' ? 2 : 4)
}

export function elementBytesMin(field: ArrayField, plan: Plan): number {
  return typeof field.element === 'string'
    ? scalarBytesMin(field.element, plan.flexible)
    : structBytesMin(field.element, plan)
}

/** The source of an expression for a field's default. Compiled code has `EMPTY` and `ZERO_UUID` in scope. */
export function defaultSource(field: Field): string {
  if (field.default === null) return 'null'
  if (field.type === 'array') return '[]'
  if (field.type === 'struct') {
    const members = Object.entries(field.fields).map(([name, member]) => `${name}: ${defaultSource(member)}`)
    return `{ ${members.join(', ')} }`
  }
  switch (field.type) {
    case 'int64':
      return `${(field.default ?? 0n) as bigint}n`
    case 'bool':
      return `${(field.default ?? false) as boolean}`
    case 'uuid':
      return 'ZERO_UUID'
    case 'string':
      return JSON.stringify(field.default ?? '')
    case 'bytes':
    case 'records':
      return 'EMPTY'
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint16':
    case 'uint32':
    case 'float64':
      return `${(field.default ?? 0) as number}`
  }
}

/** The source of a condition: is the value in the variable `x` (not undefined) the field's default? */
export function isDefaultSource(x: string, field: Field): string {
  if (field.default === null) return `${x} === null`
  if (field.type === 'struct') {
    const members = Object.entries(field.fields).map(
      ([name, member]) => `(${x}.${name} === undefined || ${isDefaultSource(`${x}.${name}`, member)})`,
    )
    return [`${x} !== null`, ...members].join(' && ')
  }
  if (field.type === 'array' || field.type === 'bytes' || field.type === 'records') {
    return `${x} !== null && ${x}.length === 0`
  }
  return `${x} === ${defaultSource(field)}`
}
