/**
 * The oracle for the compiled codecs: reads and writes by walking the schema, with no thought of speed or of broken
 * input. It shares nothing with the compilers but the schema language itself.
 */
import { type Field, type Fields, inRange, type Message } from '../../src/adapters/codec/schema.ts'

type Value = Record<string, unknown>

export function interpretWrite(message: Message, version: number, value: unknown): Buffer {
  const flexible = inRange(version, message.flexible)
  const uvarint = (n: number): Buffer => Buffer.from(n < 128 ? [n] : [(n & 127) | 128, ...uvarint(n >>> 7)])
  const int = (bytes: number, n: number | bigint): Buffer =>
    Buffer.from(
      BigInt.asUintN(bytes * 8, BigInt(n))
        .toString(16)
        .padStart(bytes * 2, '0'),
      'hex',
    )
  const sized = (data: Buffer | null, count: number, compact: boolean, bytes: number): Buffer =>
    Buffer.concat([
      compact ? uvarint(data === null ? 0 : count + 1) : int(bytes, data === null ? -1 : count),
      data ?? Buffer.alloc(0),
    ])
  const scalar = (type: string, x: unknown, compact: boolean): Buffer => {
    if (type === 'string')
      return sized(x === null ? null : Buffer.from(x as string), Buffer.byteLength((x ?? '') as string), compact, 2)
    if (type === 'bytes' || type === 'records')
      return sized(x === null ? null : Buffer.from(x as Uint8Array), (x as Uint8Array | null)?.length ?? 0, compact, 4)
    if (type === 'uuid') return Buffer.from(x as string, 'base64url')
    if (type === 'bool') return int(1, x === true ? 1 : 0)
    if (type === 'float64') return Buffer.from(new Float64Array([x as number]).buffer).reverse()
    return int(Number(/\d+$/.exec(type)![0]) / 8, x as number)
  }
  const field = (f: Field, x: unknown): Buffer => {
    if (f.type === 'array') {
      const items = (x as unknown[] | null)?.map((item) =>
        typeof f.element === 'string' ? scalar(f.element, item, flexible) : struct(f.element, item as Value),
      )
      return sized(items === undefined ? null : Buffer.concat(items), items?.length ?? 0, flexible && f.compact, 4)
    }
    if (f.type !== 'struct') return scalar(f.type, x, flexible && f.compact)
    const marker = !inRange(version, f.nullable) ? [] : [x === null ? (f.tag === undefined ? 255 : 0) : 1]
    return Buffer.concat([Buffer.from(marker), x === null ? Buffer.alloc(0) : struct(f.fields, x as Value)])
  }
  const struct = (fields: Fields, x: Value): Buffer => {
    const present = Object.entries(fields).filter(([, f]) => inRange(version, f.versions))
    const parts = present.filter(([, f]) => f.tag === undefined).map(([name, f]) => field(f, x[name]))
    const tagged = present
      .filter(([name, f]) => f.tag !== undefined && !sameValue(x[name], interpretDefault(f)))
      .sort(([, f], [, g]) => f.tag! - g.tag!)
    if (flexible) parts.push(uvarint(tagged.length))
    for (const [name, f] of tagged) {
      const data = field(f, x[name])
      parts.push(uvarint(f.tag!), uvarint(data.length), data)
    }
    return Buffer.concat(parts)
  }
  return struct(message.fields, value as Value)
}

export function interpretRead(message: Message, version: number, bytes: Buffer): unknown {
  const flexible = inRange(version, message.flexible)
  let p = 0
  const take = (n: number): Buffer => bytes.subarray(p, (p += n))
  const int = (n: number): bigint => BigInt.asIntN(n * 8, BigInt(`0x${take(n).toString('hex')}`))
  const uvarint = (): number => {
    const byte = Number(int(1)) & 255
    return byte < 128 ? byte : byte - 128 + 128 * uvarint()
  }
  const size = (compact: boolean, n: number): number => (compact ? uvarint() - 1 : Number(int(n)))
  const scalar = (type: string, compact: boolean): unknown => {
    if (type === 'string' || type === 'bytes' || type === 'records') {
      const n = size(compact, type === 'string' ? 2 : 4)
      return n < 0 ? null : type === 'string' ? take(n).toString('utf8') : new Uint8Array(take(n))
    }
    if (type === 'uuid') return take(16).toString('base64url')
    if (type === 'bool') return int(1) !== 0n
    if (type === 'float64') return take(8).readDoubleBE()
    const bits = Number(/\d+$/.exec(type)![0])
    const value = type.startsWith('u') ? BigInt.asUintN(bits, int(bits / 8)) : int(bits / 8)
    return bits === 64 ? value : Number(value)
  }
  const field = (f: Field): unknown => {
    if (f.type === 'array') {
      const n = size(flexible && f.compact, 4)
      return n < 0
        ? null
        : Array.from({ length: n }, () =>
            typeof f.element === 'string' ? scalar(f.element, flexible) : struct(f.element),
          )
    }
    if (f.type !== 'struct') return scalar(f.type, flexible && f.compact)
    if (inRange(version, f.nullable) && (f.tag === undefined ? int(1) < 0n : uvarint() === 0)) return null
    return struct(f.fields)
  }
  const struct = (fields: Fields): Value => {
    const value = Object.fromEntries(
      Object.entries(fields).map(([name, f]) => [
        name,
        inRange(version, f.versions) && f.tag === undefined ? field(f) : interpretDefault(f),
      ]),
    )
    for (let left = flexible ? uvarint() : 0; left > 0; left--) {
      const tag = uvarint()
      const end = uvarint() + p
      const known = Object.entries(fields).find(([, f]) => f.tag === tag && inRange(version, f.versions))
      if (known !== undefined) value[known[0]] = field(known[1])
      p = end
    }
    return value
  }
  return struct(message.fields)
}

/** The value of a field in a version without it. */
export function interpretDefault(f: Field): unknown {
  if (f.default !== undefined) return f.default
  if (f.type === 'array') return []
  if (f.type === 'struct')
    return Object.fromEntries(Object.entries(f.fields).map(([name, member]) => [name, interpretDefault(member)]))
  if (f.type === 'bytes' || f.type === 'records') return new Uint8Array(0)
  return { string: '', bool: false, int64: 0n, uuid: 'A'.repeat(22) }[f.type as string] ?? 0
}

function sameValue(a: unknown, b: unknown): boolean {
  const text = (x: unknown): string =>
    JSON.stringify(x, (_, v: unknown) =>
      typeof v === 'bigint' ? `${v}n` : v instanceof Uint8Array ? `#${Buffer.from(v).toString('hex')}` : v,
    )
  return text(a) === text(b)
}
