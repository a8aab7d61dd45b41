/**
 * Compiles a schema at one version into one straight-line function that reads it.
 *
 * What the function does not believe: every length is compared with the bytes left before anything is allocated for
 * it, all arrays together hold no more items than the reader allows (an item of one byte becomes an object of a
 * hundred), a null must be allowed where it is, a varint ends. What it forgives, as Kafka does: bytes behind the message,
 * tags that it does not know (skipped by their size), invalid UTF-8. The values of a message have the same keys in
 * the same order in every version, so all code behind it sees one hidden class.
 */
import {
  defaultSource,
  elementBytesMin,
  FIXED_BYTES,
  type Plan,
  planFields,
  type PlannedField,
  planOf,
  taggedFields,
} from './plan.ts'
import { isRangeError, ProtocolError } from './protocol-error.ts'
import { newArray, type Reader, readCopy, readSlice, readText, readUuid, readUvarintRest, ZERO_UUID } from './reader.ts'
import type { ArrayField, Fields, Message, ScalarType } from './schema.ts'

const TEXT_BYTES_MAX = 32_767

/** What compiled readers call, by the names that they call it. */
const scope = {
  EMPTY: new Uint8Array(0),
  ZERO_UUID,
  newArray,
  readCopy,
  readSlice,
  readText,
  readUuid,
  readUvarintRest,
  fail(title: string, what: string): never {
    throw new ProtocolError(`${title}: ${what}`)
  },
  /** Reads past the end are RangeErrors of DataView. */
  explain(title: string, error: unknown): unknown {
    if (isRangeError(error)) return new ProtocolError(`${title}: it ends too early`, { cause: error })
    if (error instanceof ProtocolError && !error.message.startsWith(title)) {
      return new ProtocolError(`${title}: ${error.message}`, { cause: error })
    }
    return error
  },
}

/** The reader of `message` in `version`: reads at the reader's position and moves it behind the message. */
export function compileReader(message: Message, version: number): (reader: Reader) => unknown {
  const plan = planOf(message, version)
  const source = new ReaderSource(plan)
  const value = source.struct(message.fields)
  const body = `'use strict'
const { ${Object.keys(scope).join(', ')} } = scope
return function read(r) {
  const b = r.bytes, v = r.view, end = b.length
  let p = r.position, n = 0
  try {
    ${source.lines.join('\n    ')}
    r.position = p
    return ${value}
  } catch (error) {
    throw explain(${JSON.stringify(plan.title)}, error)
  }
}`
  // The source is made of our own schemas and of nothing that came from outside.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  return (new Function('scope', body) as (s: typeof scope) => (reader: Reader) => unknown)(scope)
}

/**
 * Collects statements. In them, `p` is the position and `n` the length read last; every method appends what reads one
 * thing and returns the expression that then holds it.
 */
class ReaderSource {
  readonly lines: string[] = []
  readonly #plan: Plan
  #names = 0

  constructor(plan: Plan) {
    this.#plan = plan
  }

  struct(fields: Fields): string {
    const planned = planFields(fields, this.#plan)
    const members = planned.map((member) => {
      if (member.present && member.tag === undefined) return `${member.name}: ${this.#field(member)}`
      const name = this.#declare(defaultSource(member.field))
      return { member, name }
    })
    if (this.#plan.flexible) {
      const names = new Map(members.flatMap((m) => (typeof m === 'string' ? [] : [[m.member.name, m.name]])))
      this.#tagSection(planned, names)
    }
    return `{ ${members.map((m) => (typeof m === 'string' ? m : `${m.member.name}: ${m.name}`)).join(', ')} }`
  }

  #tagSection(planned: readonly PlannedField[], names: ReadonlyMap<string, string>): void {
    this.#uvarint()
    const left = this.#declare('n')
    this.#emit(`for (; ${left} > 0; ${left}--) {`)
    this.#uvarint()
    const tag = this.#declare('n')
    this.#uvarint()
    this.#check('n > end - p', 'a tagged field is longer than what is left')
    this.#emit(`switch (${tag}) {`)
    for (const member of taggedFields(planned)) {
      this.#emit(`case ${member.tag}: {`)
      const value = this.#field(member)
      this.#emit(`${names.get(member.name)} = ${value}; break }`)
    }
    this.#emit('default: p += n } }')
  }

  #field(member: PlannedField): string {
    const { field, name } = member
    if (field.type === 'array') return this.#array(member, field)
    if (field.type === 'struct') {
      if (!member.nullable) return this.struct(field.fields)
      // A struct that may be null is announced by an int8, negative for null; by a varint, 0 for null, if tagged.
      const value = this.#declare('null')
      if (member.tag === undefined) this.#emit('n = v.getInt8(p++) + 1')
      else this.#uvarint()
      this.#emit('if (n > 0) {')
      this.#emit(`${value} = ${this.struct(field.fields)} }`)
      return value
    }
    return this.#scalar(field.type, member.compact, member.nullable, name)
  }

  #array({ name, nullable, compact }: PlannedField, field: ArrayField): string {
    this.#length(compact, 4)
    const value = this.#declare('null')
    this.#emit('if (n < 0) {')
    this.#null(nullable, name)
    this.#emit('} else {')
    const bytesMin = Math.max(1, elementBytesMin(field, this.#plan))
    const count = this.#declare('n')
    this.#check(
      `${count} > (end - p) / ${bytesMin}`,
      `${name} has \${${count}} items, but only \${end - p} bytes are left`,
    )
    this.#emit(`r.itemsLeft -= ${count}`)
    this.#check('r.itemsLeft < 0', 'it has too many items')
    this.#emit(`${value} = newArray(${count})`)
    const index = this.#name()
    this.#emit(`for (let ${index} = 0; ${index} < ${count}; ${index}++) {`)
    const item =
      typeof field.element === 'string'
        ? this.#scalar(field.element, this.#plan.flexible, false, name)
        : this.struct(field.element)
    this.#emit(`${value}[${index}] = ${item} } }`)
    return value
  }

  #scalar(type: ScalarType, compact: boolean, nullable: boolean, name: string): string {
    const fixed = FIXED_BYTES[type]
    if (fixed !== undefined) {
      const value = this.#declare(FIXED_SOURCE[type] ?? '')
      this.#emit(`p += ${fixed}`)
      return value
    }
    this.#length(compact, type === 'string' ? 2 : 4)
    const value = this.#declare('null')
    this.#emit('if (n < 0) {')
    this.#null(nullable, name)
    this.#emit('} else {')
    this.#check('n > end - p', `${name} has \${n} bytes, but only \${end - p} are left`)
    if (type === 'string' && compact) this.#check(`n > ${TEXT_BYTES_MAX}`, `${name} has \${n} bytes`)
    this.#emit(`${value} = ${VARIABLE_SOURCE[type] ?? ''}; p += n }`)
    return value
  }

  /** Into `n`: a length or count, negative for null: writers say -1, but Kafka's readers take any. */
  #length(compact: boolean, bytes: 2 | 4): void {
    if (compact) {
      this.#uvarint()
      this.#emit('n--')
    } else {
      this.#emit(`n = v.getInt${bytes * 8}(p); p += ${bytes}`)
    }
  }

  #uvarint(): void {
    this.#emit('n = v.getUint8(p++); if (n > 127) { r.position = p; n = readUvarintRest(r, n); p = r.position }')
  }

  #null(nullable: boolean, name: string): void {
    if (!nullable) this.#check('true', `${name} is null`)
  }

  #check(condition: string, what: string): void {
    this.#emit(`if (${condition}) fail(${JSON.stringify(this.#plan.title)}, \`${what}\`)`)
  }

  #declare(source: string): string {
    const name = this.#name()
    this.#emit(`let ${name} = ${source}`)
    return name
  }

  #name(): string {
    return `x${this.#names++}`
  }

  #emit(line: string): void {
    this.lines.push(line)
  }
}

const FIXED_SOURCE: Partial<Record<ScalarType, string>> = {
  bool: 'v.getUint8(p) !== 0',
  int8: 'v.getInt8(p)',
  int16: 'v.getInt16(p)',
  uint16: 'v.getUint16(p)',
  int32: 'v.getInt32(p)',
  uint32: 'v.getUint32(p)',
  int64: 'v.getBigInt64(p)',
  float64: 'v.getFloat64(p)',
  uuid: 'readUuid(v, p)',
}

const VARIABLE_SOURCE: Partial<Record<ScalarType, string>> = {
  string: 'readText(b, p, n)',
  bytes: 'readCopy(b, p, n)',
  records: 'readSlice(b, p, n)',
}
