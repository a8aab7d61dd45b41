/**
 * Compiles a schema at one version into one straight-line function that writes it.
 *
 * A value that the version cannot carry (not its default, not `ignorable`, the field not there; or null where that
 * is not allowed) is a mistake of the caller: a TypeError, and nothing is sent. A tagged field that has its default
 * is not written.
 */
import {
  defaultSource,
  FIXED_BYTES,
  isDefaultSource,
  type Plan,
  planFields,
  type PlannedField,
  planOf,
  taggedFields,
} from './plan.ts'
import { ZERO_UUID } from './reader.ts'
import type { Field, Fields, Message, ScalarType } from './schema.ts'
import { closeTag, sizeOf, writeCompactString, type Writer, writeString, writeUuid, writeUvarint } from './writer.ts'

/** What compiled writers call, by the names that they call it. */
const scope = {
  EMPTY: new Uint8Array(0),
  ZERO_UUID,
  closeTag,
  sizeOf,
  writeCompactString,
  writeString,
  writeUuid,
  writeUvarint,
  refuse(title: string, what: string): never {
    throw new TypeError(`${title}: ${what}`)
  },
}

/** The writer of `message` in `version`: writes at the writer's position and moves it. */
export function compileWriter(message: Message, version: number): (writer: Writer, value: unknown) => void {
  const plan = planOf(message, version)
  const source = new WriterSource(plan)
  source.struct(message.fields, 'value')
  const body = `'use strict'
const { ${Object.keys(scope).join(', ')} } = scope
return function write(w, value) {
  const b = w.bytes, v = w.view
  let p = w.position, n = 0
  ${source.lines.join('\n  ')}
  w.position = p
}`
  // The source is made of our own schemas and of nothing that came from outside.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  return (new Function('scope', body) as (s: typeof scope) => (writer: Writer, value: unknown) => void)(scope)
}

/** Collects statements. In them, `p` is the position; every method appends what writes the value in a variable. */
class WriterSource {
  readonly lines: string[] = []
  readonly #plan: Plan
  #names = 0
  #tagged = 0

  constructor(plan: Plan) {
    this.#plan = plan
  }

  struct(fields: Fields, owner: string): void {
    const planned = planFields(fields, this.#plan)
    const variables = new Map<string, string>()
    for (const member of planned) {
      if (!member.present && member.field.ignorable) continue
      const x = this.#name()
      variables.set(member.name, x)
      this.#emit(`let ${x} = ${owner}.${member.name}`)
      if (!member.present) this.#refuseUnlessDefault(member, x)
      else {
        if (member.tag === undefined && mayBeLeftOut(member.field))
          this.#emit(`if (${x} === undefined) ${x} = ${defaultSource(member.field)}`)
        if (!member.nullable) this.#check(`${x} === null`, `${member.name} may not be null`)
        if (member.tag === undefined) this.#field(member, x)
      }
    }
    if (this.#plan.flexible) this.#tagSection(planned, variables)
  }

  #tagSection(planned: readonly PlannedField[], variables: ReadonlyMap<string, string>): void {
    const tagged = taggedFields(planned).map((member) => {
      const x = variables.get(member.name) ?? ''
      return { member, x, written: this.#declare(`${x} !== undefined && !(${isDefaultSource(x, member.field)})`) }
    })
    const count = tagged.map(({ written }) => `(${written} ? 1 : 0)`).join(' + ')
    this.#emit(tagged.length === 0 ? 'v.setUint8(p++, 0)' : `p = writeUvarint(b, p, ${count})`)
    for (const { member, x, written } of tagged) {
      this.#emit(`if (${written}) { p = writeUvarint(b, p, ${member.tag})`)
      const start = this.#declare('p++')
      this.#tagged++
      this.#field(member, x)
      this.#tagged--
      this.#emit(`p = closeTag(b, ${start}, p) }`)
    }
  }

  #field(member: PlannedField, x: string): void {
    const { field } = member
    if (field.type === 'struct') {
      if (!member.nullable) {
        this.struct(field.fields, x)
        return
      }
      // A struct that may be null is announced by an int8, negative for null; by a varint, 0 for null, if tagged.
      this.#emit(`if (${x} === null) v.setInt8(p++, ${member.tag === undefined ? -1 : 0})`)
      this.#emit('else { v.setInt8(p++, 1)')
      this.struct(field.fields, x)
      this.#emit('}')
    } else if (field.type === 'array') {
      this.#open(member, x)
      this.#length(`${x}.length`, member.compact, 4)
      const i = this.#name()
      this.#emit(`for (let ${i} = 0; ${i} < ${x}.length; ${i}++) {`)
      const item = this.#declare(`${x}[${i}]`)
      if (typeof field.element === 'string') this.#scalar(field.element, this.#plan.flexible, item)
      else this.struct(field.element, item)
      this.#emit('}')
      this.#close(member)
    } else if (FIXED_BYTES[field.type] !== undefined) {
      this.#scalar(field.type, member.compact, x)
    } else {
      this.#open(member, x)
      this.#scalar(field.type, member.compact, x)
      this.#close(member)
    }
  }

  /** The length of null, or else what follows up to `#close`. */
  #open({ field, nullable, compact }: PlannedField, x: string): void {
    if (!nullable) return
    const nothing = compact
      ? 'v.setUint8(p++, 0)'
      : field.type === 'string'
        ? '{ v.setInt16(p, -1); p += 2 }'
        : '{ v.setInt32(p, -1); p += 4 }'
    this.#emit(`if (${x} === null) ${nothing}`)
    this.#emit('else {')
  }

  #close({ nullable }: PlannedField): void {
    if (nullable) this.#emit('}')
  }

  #scalar(type: ScalarType, compact: boolean, x: string): void {
    switch (type) {
      case 'string':
        this.#emit(`p = ${compact ? 'writeCompactString' : 'writeString'}(b, p, ${x})`)
        return
      case 'bytes':
        this.#length(`${x}.length`, compact, 4)
        this.#emit(`b.set(${x}, p); p += ${x}.length`)
        return
      case 'records':
        if (this.#tagged > 0) throw new TypeError(`${this.#plan.title}: records in a tagged field`)
        this.#emit(`n = sizeOf(${x})`)
        this.#length('n', compact, 4)
        this.#emit(`w.position = p; w.append(${x}, n); p = w.position`)
        return
      case 'uuid':
        this.#emit(`p = writeUuid(b, p, ${x})`)
        return
      case 'bool':
        this.#emit(`v.setUint8(p++, ${x} ? 1 : 0)`)
        return
      case 'int8':
        this.#emit(`v.setInt8(p++, ${x})`)
        return
      case 'int16':
      case 'int32':
        this.#emit(`v.setI${type.slice(1)}(p, ${x}); p += ${FIXED_BYTES[type]}`)
        return
      case 'uint16':
      case 'uint32':
        this.#emit(`v.setU${type.slice(1)}(p, ${x}); p += ${FIXED_BYTES[type]}`)
        return
      case 'int64':
        this.#emit(`v.setBigInt64(p, ${x}); p += 8`)
        return
      case 'float64':
        this.#emit(`v.setFloat64(p, ${x}); p += 8`)
        return
    }
  }

  #length(source: string, compact: boolean, bytes: 4): void {
    if (compact) this.#emit(`p = writeUvarint(b, p, ${source} + 1)`)
    else this.#emit(`v.setInt32(p, ${source}); p += ${bytes}`)
  }

  #refuseUnlessDefault({ name, field }: PlannedField, x: string): void {
    this.#check(`${x} !== undefined && !(${isDefaultSource(x, field)})`, `${name} is not in this version`)
  }

  #check(condition: string, what: string): void {
    this.#emit(`if (${condition}) refuse(${JSON.stringify(this.#plan.title)}, ${JSON.stringify(what)})`)
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

function mayBeLeftOut(field: Field): boolean {
  return field.default !== undefined || field.versions !== '0+'
}
