import { describe, expect, it } from '@jest/globals'
import { countBelowStart, countOverSize, isExpired, mayGo } from '../../../src/domain/log/retention.ts'

const segments = (...sizes: number[]) => sizes.map((sizeBytes, i) => ({ baseOffset: BigInt(i * 10), sizeBytes }))
const bounds = (start: bigint, end: bigint, highWatermark = end) => ({ start, end, highWatermark })

describe('retention', () => {
  it.each([
    ['a closed one below the high watermark', segments(5, 5), 0, bounds(0n, 15n), true],
    ['a closed one that reaches past it', segments(5, 5), 0, bounds(0n, 15n, 9n), false],
    ['the active one', segments(5, 5), 1, bounds(0n, 15n), true],
    ['the active one, not written to its end', segments(5, 5), 1, bounds(0n, 15n, 14n), false],
    ['the active one, empty', segments(5, 0), 1, bounds(0n, 10n), false],
  ])('may take %s: %#', (_, list, i, within, expected) => {
    expect(mayGo(list, i, within)).toBe(expected)
  })

  it.each([
    [0n, 0],
    [9n, 0],
    [10n, 1],
    [25n, 2],
    [40n, 3],
  ])('below a start at %d lie %d segments, the active one never', (start, expected) => {
    expect(countBelowStart(segments(5, 5, 5, 5), bounds(start, 40n))).toBe(expected)
  })

  it.each([
    [-1n, 0, 0],
    [400n, 0, 0],
    [399n, 0, 0],
    [301n, 0, 0],
    [300n, 0, 1],
    [299n, 0, 1],
    [100n, 0, 3],
    [0n, 0, 4],
    [200n, 1, 1],
    [300n, 1, 0],
  ])('of 4 × 100 bytes under a bound of %d, from number %d on, %d go', (retentionBytes, from, expected) => {
    const rules = { retentionMs: -1n, retentionBytes }
    expect(countOverSize(segments(100, 100, 100, 100), from, rules, bounds(0n, 40n))).toBe(expected)
  })

  it.each([
    [1000n, 100n, 1100n, false],
    [1000n, 100n, 1101n, true],
    [2000n, 0n, 1000n, false],
    [1000n, -1n, 9_999_999n, false],
    [1000n, 0n, 1000n, false],
  ])('a newest record of %d under %d ms at %d is expired: %s', (largest, retentionMs, nowMs, expected) => {
    expect(isExpired(largest, { retentionMs, retentionBytes: -1n }, nowMs)).toBe(expected)
  })
})
