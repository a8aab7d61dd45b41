import { describe, expect, it } from '@jest/globals'
import { codecOf, decode, encode } from '../../../src/adapters/codec/codec.ts'
import { ProtocolError } from '../../../src/adapters/codec/protocol-error.ts'
import { Reader } from '../../../src/adapters/codec/reader.ts'
import {
  array,
  bytes,
  float64,
  int16,
  int32,
  int64,
  int8,
  message,
  records,
  string,
  struct,
  uint16,
  uint32,
} from '../../../src/adapters/codec/schema.ts'

const parcel = message({
  name: 'Parcel',
  versions: '0-1',
  flexible: '1+',
  fields: { text: string(), blob: bytes({ nullable: true }), data: records(), list: array('int8') },
})
const nothing = message({ name: 'Nothing', versions: '0', flexible: 'none', fields: { list: array({}) } })
const deep = message({
  name: 'Deep',
  versions: '0',
  flexible: '0+',
  fields: { list: array({ a: string(), b: int8(), c: struct({ nullable: true }, { d: int8() }) }) },
})

const read = (version: number, hex: string): unknown => decode(parcel, version, Buffer.from(hex, 'hex'))

describe('refused', () => {
  it.each([
    ['null where it is not allowed', 0, 'ffff', 'Parcel v0: text is null'],
    ['compact null where it is not allowed', 1, '00', 'Parcel v1: text is null'],
    ['any negative length where null is not allowed', 0, 'fffe', 'Parcel v0: text is null'],
    ['a string longer than what is left', 0, '0005616263', 'Parcel v0: text has 5 bytes, but only 3 are left'],
    ['bytes longer than what is left', 0, '00007fffffff', 'Parcel v0: blob has 2147483647 bytes, but only 0 are left'],
    [
      'records longer than what is left',
      1,
      '0100ffffffff0f',
      'Parcel v1: data has 4294967294 bytes, but only 0 are left',
    ],
    [
      'more items than bytes',
      0,
      '0000ffffffff000000007fffffff',
      'list has 2147483647 items, but only 0 bytes are left',
    ],
    ['a varint of 6 bytes', 1, '808080808001', 'Parcel v1: a varint is longer than 5 bytes'],
    ['an end within a field', 0, '0000ffff', 'Parcel v0: it ends too early'],
    ['an end within a varint', 1, '80', 'Parcel v1: it ends too early'],
    ['a tagged field longer than what is left', 1, '01000101010705aa', 'a tagged field is longer than what is left'],
    ['nothing at all', 0, '', 'Parcel v0: it ends too early'],
  ])('%s', (_, version, hex, why) => {
    expect(() => read(version, hex)).toThrow(why)
    expect(() => read(version, hex)).toThrow(expect.objectContaining({ name: 'ProtocolError' }))
  })

  it('items of no size are as many as bytes at most', () => {
    expect(() => decode(nothing, 0, Buffer.from('7fffffff0000', 'hex'))).toThrow('but only 2 bytes are left')
    expect(decode(nothing, 0, Buffer.from('000000020000', 'hex'))).toEqual({ list: [{}, {}] })
  })

  it('structs are as many as there is room for at their smallest', () => {
    const room = (count: number): Buffer => Buffer.concat([Buffer.from([count + 1]), Buffer.alloc(40)])
    expect(() => decode(deep, 0, room(11))).toThrow('list has 11 items, but only 40 bytes are left')
  })
})

describe('items', () => {
  const items = (itemsMax: number, ...counts: readonly number[]) => {
    const nested = message({
      name: 'Nested',
      versions: '0',
      flexible: '0+',
      fields: { all: array({ of: array('int8') }) },
    })
    const bytes = encode(nested, 0, { all: counts.map((count) => ({ of: new Array<number>(count).fill(7) })) })
    return codecOf(nested, 0).read(new Reader(bytes, 0, itemsMax))
  }

  it('of all arrays together are counted, nested ones too', () => {
    expect(() => items(9, 3, 4)).not.toThrow()
    expect(() => items(8, 3, 4)).toThrow(new ProtocolError('Nested v0: it has too many items'))
    expect(() => items(1, 0, 0)).toThrow(ProtocolError)
  })
})

describe('forgiven', () => {
  it('any negative length of what may be null, as Kafka does (observed on 4.3.1)', () => {
    expect(read(0, '0000' + 'fffffffe' + '00000000' + '00000000')).toMatchObject({ blob: null })
  })

  it('invalid UTF-8, which becomes U+FFFD', () => {
    expect(read(0, '0003' + '61ff62' + 'ffffffff' + '00000000' + '00000000')).toMatchObject({ text: 'a\u{FFFD}b' })
    expect(read(0, '000e' + '61'.repeat(13) + 'c3' + 'ffffffff' + '00000000' + '00000000')).toMatchObject({
      text: 'a'.repeat(13) + '\u{FFFD}',
    })
  })

  it('what is behind the message', () => {
    const reader = new Reader(Buffer.from('0000' + 'ffffffff' + '00000000' + '00000000' + 'aabb', 'hex'))
    codecOf(parcel, 0).read(reader)
    expect(reader.position).toBe(14)
  })

  it('a byte order mark, which is text', () => {
    expect(read(0, '0003' + 'efbbbf' + 'ffffffff' + '00000000' + '00000000')).toMatchObject({ text: '\u{FEFF}' })
  })
})

describe('memory', () => {
  const frame = Buffer.from('0000' + '00000002' + '0102' + '00000002' + '0304' + '00000000', 'hex')

  it('of records is that of the frame, of bytes a copy', () => {
    const value = decode(parcel, 0, frame)
    frame.fill(9)
    expect(value.blob).toEqual(new Uint8Array([1, 2]))
    expect(value.data).toEqual(new Uint8Array([9, 9]))
    expect(value.data.buffer).toBe(frame.buffer)
  })

  it('of a frame in the middle of a larger buffer is respected', () => {
    const large = Buffer.alloc(64, 1)
    large.set(Buffer.from('0001' + '61' + 'ffffffff' + '00000000' + '00000000', 'hex'), 10)
    expect(decode(parcel, 0, new Uint8Array(large.buffer, large.byteOffset + 10, 15))).toMatchObject({ text: 'a' })
    expect(() => decode(parcel, 0, new Uint8Array(large.buffer, large.byteOffset + 10, 14))).toThrow(
      'it ends too early',
    )
  })
})

describe('numbers', () => {
  const numbers = message({
    name: 'Numbers',
    versions: '0',
    flexible: 'none',
    fields: { a: int8(), b: int16(), c: int32(), d: int64(), e: uint16(), f: uint32(), g: float64() },
  })

  it.each([
    { a: -128, b: -32_768, c: -(2 ** 31), d: -(2n ** 63n), e: 0, f: 0, g: -Infinity },
    { a: 127, b: 32_767, c: 2 ** 31 - 1, d: 2n ** 63n - 1n, e: 65_535, f: 2 ** 32 - 1, g: Number.MIN_VALUE },
    { a: -1, b: -1, c: -1, d: -1n, e: 1, f: 1, g: -0 },
  ])('keep their ends: $a', (value) => {
    expect(decode(numbers, 0, encode(numbers, 0, value))).toEqual(value)
  })
})
