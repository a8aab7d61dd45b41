import { describe, expect, it } from '@jest/globals'
import { codecOf, decode, encode } from '../../../src/adapters/codec/codec.ts'
import {
  array,
  int16,
  int32,
  int64,
  message,
  records,
  string,
  struct,
  uuid,
} from '../../../src/adapters/codec/schema.ts'
import { Writer } from '../../../src/adapters/codec/writer.ts'

const letter = message({
  name: 'Letter',
  versions: '0-2',
  flexible: '2+',
  fields: {
    id: int32(),
    to: string('1+', { default: 'nobody' }),
    stamp: int64('1+', { ignorable: true }),
    note: string('1+', { nullable: '2+', default: null, ignorable: true }),
    pages: records({ nullable: true }),
    labels: array('2+', { tag: 3, ignorable: true }, 'string'),
    seal: struct('2+', { tag: 1 }, { wax: int16({ default: -1 }), maker: uuid() }),
  },
})

function write(version: number, value: Parameters<typeof encode<typeof letter.fields>>[2]): string {
  return Buffer.from(encode(letter, version, value)).toString('hex')
}

describe('what a version lacks', () => {
  it('is written when it has its default or is left out', () => {
    expect(write(0, { id: 1, to: 'nobody', pages: null })).toBe('00000001ffffffff')
    expect(write(0, { id: 1, pages: null })).toBe('00000001ffffffff')
  })

  it('is dropped when it is ignorable', () => {
    expect(write(0, { id: 1, stamp: 5n, note: 'x', labels: ['y'], pages: null })).toBe('00000001ffffffff')
  })

  it('is refused otherwise', () => {
    expect(() => write(0, { id: 1, to: 'me', pages: null })).toThrow('Letter v0: to is not in this version')
    expect(() => write(1, { id: 1, note: '', seal: { wax: 2, maker: 'AAAAAAAAAAAAAAAAAAAAAA' }, pages: null })).toThrow(
      'Letter v1: seal is not in this version',
    )
  })

  it('is not there at all beyond the versions of the message', () => {
    expect(() => write(3, { id: 1, pages: null })).toThrow('Letter has no version 3')
  })
})

describe('null', () => {
  it('is refused where the version does not allow it', () => {
    expect(() => write(1, { id: 1, pages: null })).toThrow('Letter v1: note may not be null')
    expect(write(2, { id: 1, to: '', pages: null })).toBe('00000001' + '01' + '0000000000000000' + '00' + '00' + '00')
  })
})

describe('tagged fields', () => {
  it('are written in the order of their tags and only when they are not the default', () => {
    const value = { id: 0, to: '', pages: null, labels: ['a'], seal: { wax: 3, maker: 'AAAAAAAAAAAAAAAAAAAAAQ' } }
    const seal = `0003${'0'.repeat(30)}0100`
    expect(write(2, value)).toBe(`00000000010000000000000000000002` + `0113${seal}` + `0303020261`)
    expect(write(2, { ...value, labels: [], seal: { wax: -1, maker: 'AAAAAAAAAAAAAAAAAAAAAA' } })).toMatch(/0000$/)
  })

  it.each([127, 128, 16_383, 16_384, 40_000])('may have %i bytes and more', (size) => {
    const labels = Array.from({ length: Math.ceil(size / 100) }, () => 'l'.repeat(98))
    expect(decode(letter, 2, encode(letter, 2, { id: 7, pages: null, labels }))).toMatchObject({ id: 7, labels })
  })

  it('that are unknown are skipped by their size', () => {
    const bytes = Buffer.from('00000000010000000000000000' + '00' + '00' + '02' + '0703aaaaaa' + '0803bbbbbb', 'hex')
    expect(decode(letter, 2, bytes)).toMatchObject({ id: 0, labels: [] })
  })
})

describe('chunks', () => {
  const long = new Uint8Array(5000).fill(7)

  it('hold long records as they are, not a copy', () => {
    const codec = codecOf(letter, 1)
    const chunks = new Writer().frame((w) =>
      codec.write(w, { id: 1, note: '', pages: [long, new Uint8Array(0), long] }),
    )
    expect(chunks).toHaveLength(3)
    expect(chunks[1]).toBe(long)
    expect(chunks[2]).toBe(long)
    const frame = Buffer.concat(chunks)
    expect(frame.readInt32BE()).toBe(frame.length - 4)
    expect(decode(letter, 1, frame.subarray(4)).pages).toHaveLength(10_000)
  })

  it('hold short records in one piece with what surrounds them', () => {
    const codec = codecOf(letter, 1)
    const short = [new Uint8Array(5).fill(1), new Uint8Array(5).fill(2)]
    expect(new Writer().message((w) => codec.write(w, { id: 1, note: '', pages: short }))).toHaveLength(1)
  })

  it('are never written again, whatever is written after them', () => {
    const codec = codecOf(letter, 1)
    const writer = new Writer(256)
    const frames = Array.from({ length: 500 }, (_, id) => {
      const value = { id, to: 'x'.repeat(id % 700), note: '', pages: id % 3 === 0 ? long : null }
      return { value, chunks: writer.frame((w) => codec.write(w, value)) }
    })
    for (const { value, chunks } of frames) {
      expect(decode(letter, 1, Buffer.concat(chunks).subarray(4))).toMatchObject({ id: value.id, to: value.to })
    }
  })

  it('of a message that was refused leave nothing behind', () => {
    const codec = codecOf(letter, 1)
    const writer = new Writer()
    expect(() => writer.frame((w) => codec.write(w, { id: 1, to: 'lost', pages: null }))).toThrow(TypeError)
    const [only, ...more] = writer.message((w) => codec.write(w, { id: 2, to: '', note: '', pages: null }))
    expect(more).toEqual([])
    expect(Buffer.from(only!).toString('hex')).toBe('00000002' + '0000' + '0000000000000000' + '0000' + 'ffffffff')
  })
})

describe('strings', () => {
  it.each([
    '',
    'a',
    'exactly 16 bytes',
    'a little longer than that',
    'é',
    'kurz ä',
    '𝄞'.repeat(40),
    'x'.repeat(32_767),
  ])('survive: %s', (to) => {
    for (const version of [1, 2]) {
      expect(decode(letter, version, encode(letter, version, { id: 1, to, note: '', pages: null })).to).toBe(to)
    }
  })

  it('are refused when their length does not fit', () => {
    expect(() => write(1, { id: 1, to: 'x'.repeat(32_768), note: '', pages: null })).toThrow(TypeError)
  })
})

describe('uuids', () => {
  it.each(['', 'AAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAA+/', 'AAAAAAAAAAAAAAAAAAAAéA'])(
    'are refused: %s',
    (maker) => {
      expect(() => write(2, { id: 1, pages: null, seal: { wax: 0, maker } })).toThrow(TypeError)
    },
  )
})
