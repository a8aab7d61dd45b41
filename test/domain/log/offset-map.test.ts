import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { OffsetMap } from '../../../src/domain/log/offset-map.ts'

const key = [1, 2, 3, 4] as const

describe('OffsetMap', () => {
  it('knows the newest offset of every key, as a Map does', () => {
    const puts = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 300, size: 'max' })
    fc.assert(
      fc.property(puts, fc.bigInt({ min: 0n, max: 1n << 60n }), (keys, base) => {
        const map = new OffsetMap(24 * 500, 0.9, key)
        map.clear(base)
        const model = new Map<string, number>()
        keys.forEach((bytes, i) => {
          const framed = Uint8Array.of(9, ...bytes, 9)
          expect(map.put(framed, 1, framed.length - 1, i)).toBe(true)
          model.set(String(bytes), i)
        })
        expect(map.size).toBe(model.size)
        expect(map.latestOffset).toBe(base + BigInt(keys.length - 1))
        keys.forEach((bytes, i) => {
          expect(map.hasNewer(bytes, 0, bytes.length, i)).toBe(model.get(String(bytes))! > i)
        })
        expect(map.hasNewer(new Uint8Array(20), 0, 20, -5)).toBe(false)
      }),
    )
  })

  it('takes as many keys as its memory and load allow, and then says so, changing nothing', () => {
    const map = new OffsetMap(24 * 3000, 0.9, key)
    map.clear(5n)
    const bytes = (n: number) => new TextEncoder().encode(`key ${n}`)
    let count = 0
    while (map.put(bytes(count), 0, bytes(count).length, count)) count++
    expect(count).toBe(2700)
    expect(map.latestOffset).toBe(5n + 2699n)
    for (let n = 0; n < count; n++) expect(map.hasNewer(bytes(n), 0, bytes(n).length, n - 1)).toBe(true)
    expect(map.hasNewer(bytes(count), 0, bytes(count).length, 0)).toBe(false)
    map.clear(0n)
    expect(map.size).toBe(0)
    expect(map.hasNewer(bytes(1), 0, bytes(1).length, 0)).toBe(false)
    map.reach(7n)
    map.reach(3n)
    expect(map.latestOffset).toBe(7n)
  })

  it('answers rightly at every step of its growth, of keys that were moved, were not yet, and were put again', () => {
    const map = new OffsetMap(24 * 6000, 0.9, key)
    map.clear(0n)
    const model = new Map<number, number>()
    const bytes = (n: number) => Uint8Array.of(n & 0xff, n >> 8)
    for (let i = 0; i < 9000; i++) {
      const n = i % 3 === 0 ? (i * 7919) % 4000 : i % 4000
      expect(map.put(bytes(n), 0, 2, i)).toBe(true)
      model.set(n, i)
      const other = (i * 31) % 4000
      const known = model.get(other) ?? -1
      expect(map.hasNewer(bytes(other), 0, 2, known - 1)).toBe(known >= 0)
      expect(map.hasNewer(bytes(other), 0, 2, known)).toBe(false)
    }
    expect(map.size).toBe(model.size)
  })

  it('holds at least one key however little memory it has', () => {
    const map = new OffsetMap(1, 0.9, key)
    map.clear(0n)
    expect(map.put(new Uint8Array(1), 0, 1, 0)).toBe(true)
    expect(map.put(new Uint8Array(2), 0, 2, 1)).toBe(false)
    expect(map.hasNewer(new Uint8Array(2), 0, 2, 0)).toBe(false)
  })
})
