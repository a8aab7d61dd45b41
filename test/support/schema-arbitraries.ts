/** Random values that a version of a message can carry: what it lacks has its default. */
import fc from 'fast-check'
import { type Field, type Fields, inRange, type Message, type ScalarType } from '../../src/adapters/codec/schema.ts'
import { interpretDefault } from './schema-interpreter.ts'

const int = (bits: number): fc.Arbitrary<number> => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
const blob = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 1000, maxLength: 1100 }))

const scalars: Record<ScalarType, fc.Arbitrary<unknown>> = {
  int8: int(8),
  int16: int(16),
  int32: int(32),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint16: fc.nat(0xffff),
  uint32: fc.nat(0xffff_ffff),
  float64: fc.double({ noNaN: true }).filter((x) => !Object.is(x, -0)),
  bool: fc.boolean(),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b).toString('base64url')),
  string: fc.oneof(
    { weight: 4, arbitrary: fc.string({ maxLength: 30 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 120, maxLength: 200 }) },
  ),
  bytes: blob,
  records: blob,
}

export function anyValue(message: Message, version: number): fc.Arbitrary<unknown> {
  const field = (f: Field): fc.Arbitrary<unknown> => {
    if (!inRange(version, f.versions)) return fc.constant(interpretDefault(f))
    const value = something(f)
    const some = f.tag === undefined ? value : fc.oneof(value, fc.constant(interpretDefault(f)))
    return inRange(version, f.nullable) ? fc.option(some) : some
  }
  const something = (f: Field): fc.Arbitrary<unknown> => {
    if (f.type === 'struct') return struct(f.fields)
    if (f.type !== 'array') return scalars[f.type]
    return fc.array(typeof f.element === 'string' ? scalars[f.element] : struct(f.element), { maxLength: 3 })
  }
  const struct = (fields: Fields): fc.Arbitrary<unknown> =>
    fc.record(Object.fromEntries(Object.entries(fields).map(([name, f]) => [name, field(f)])), {
      noNullPrototype: true,
    })
  return struct(message.fields)
}
