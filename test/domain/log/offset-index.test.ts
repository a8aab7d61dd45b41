import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { OffsetIndex, TimeIndex } from '../../../src/domain/log/offset-index.ts'

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

describe('OffsetIndex', () => {
  it('finds the position at or before any offset, as a search through all entries does', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 5000 })))
    fc.assert(
      fc.property(steps, fc.nat(600), (entries, wanted) => {
        const index = new OffsetIndex()
        const list: [number, number][] = []
        for (const [offset, position] of entries) {
          const [lastOffset, lastPosition] = list.at(-1) ?? [0, 0]
          list.push([lastOffset + offset, lastPosition + position])
          index.append(lastOffset + offset, lastPosition + position)
        }
        expect(index.floorPosition(wanted)).toBe(list.findLast(([offset]) => offset <= wanted)?.[1] ?? 0)
        const again = OffsetIndex.parse(index.bytes().slice())!
        expect(again.bytes()).toEqual(index.bytes())
        again.truncate(wanted)
        expect(again.count).toBe(list.filter(([offset]) => offset < wanted).length)
      }),
    )
  })
  it.each([
    ['a torn entry', '00000005 000000', null],
    ['offsets that shrink', '00000005 00000010 00000004 00000020', null],
    ['positions that stand still', '00000005 00000010 00000006 00000010', null],
    ['something behind zeros', '00000005 00000010 00000000 00000000 00000007 00000030', null],
    ['preallocated room', '00000005 00000010 00000000 00000000 00000000 00000000', 1],
    ['nothing but room', '00000000 00000000', 0],
    ['nothing', '', 0],
  ])('parses %s', (_, hex, count) => {
    expect(OffsetIndex.parse(bytesOf(hex))?.count ?? null).toBe(count)
  })
})

describe('TimeIndex', () => {
  it('begins a search before every record that is late enough', () => {
    const index = new TimeIndex()
    index.append(100n, 5)
    index.append(200n, 9)
    expect([99n, 100n, 101n, 200n, 201n].map((at) => index.floorRelativeOffset(at))).toEqual([0, 0, 5, 5, 9])
    expect([index.lastTimestamp(), index.lastRelativeOffset()]).toEqual([200n, 9])
    index.truncate(9)
    expect([index.count, index.lastTimestamp()]).toEqual([1, 100n])
  })
  it.each([
    ['a torn entry', '0000000000000064 000000', null],
    ['timestamps that stand still', '0000000000000064 00000001 0000000000000064 00000002', null],
    ['offsets that shrink', '0000000000000064 00000002 0000000000000065 00000001', null],
    ['preallocated room', '0000000000000064 00000001 0000000000000000 00000000', 1],
    ['nothing but room', '0000000000000000 00000000', 0],
  ])('parses %s', (_, hex, count) => {
    expect(TimeIndex.parse(bytesOf(hex))?.count ?? null).toBe(count)
  })
})
