import { describe, expect, it } from '@jest/globals'
import { endOffsetForEpoch, LeaderEpochs } from '../../../src/domain/log/leader-epochs.ts'

const entries = [
  { epoch: 1, startOffset: 0n },
  { epoch: 2, startOffset: 10n },
  { epoch: 5, startOffset: 20n },
]

describe('LeaderEpochs', () => {
  it.each([
    ['a later epoch', 6, 30n, true, [...entries, { epoch: 6, startOffset: 30n }]],
    ['the same epoch further on', 5, 25n, false, entries],
    ['the same epoch earlier', 5, 15n, true, [entries[0], entries[1], { epoch: 5, startOffset: 15n }]],
    ['an earlier epoch', 2, 30n, true, [entries[0], { epoch: 2, startOffset: 30n }]],
    ['a later epoch before others began', 7, 10n, true, [entries[0], { epoch: 7, startOffset: 10n }]],
    ['no epoch', -1, 30n, false, entries],
  ])('assigns %s', (_, epoch, startOffset, changed, expected) => {
    const epochs = new LeaderEpochs(entries)
    expect(epochs.assign(epoch, startOffset)).toBe(changed)
    expect(epochs.entries).toEqual(expected)
  })
  it.each([
    [25n, false, 3],
    [20n, true, 2],
    [1n, true, 1],
    [0n, true, 0],
  ])('cut at the end %d', (end, changed, kept) => {
    const epochs = new LeaderEpochs(entries)
    expect(epochs.truncateFromEnd(end)).toBe(changed)
    expect(epochs.entries).toEqual(entries.slice(0, kept))
  })
  it.each([
    [0n, false, entries],
    [5n, true, [{ epoch: 1, startOffset: 5n }, ...entries.slice(1)]],
    [10n, true, entries.slice(1)],
    [99n, true, [{ epoch: 5, startOffset: 99n }]],
  ])('cut at the start %d', (start, changed, expected) => {
    const epochs = new LeaderEpochs(entries)
    expect(epochs.truncateFromStart(start)).toBe(changed)
    expect(epochs.entries).toEqual(expected)
  })
})

describe('endOffsetForEpoch', () => {
  it.each([
    [5, { epoch: 5, endOffset: 33n }],
    [4, { epoch: 2, endOffset: 20n }],
    [2, { epoch: 2, endOffset: 20n }],
    [1, { epoch: 1, endOffset: 10n }],
    [0, { epoch: 0, endOffset: 0n }],
    [6, null],
    [-1, null],
    [-2, { epoch: -2, endOffset: 0n }],
  ])('epoch %d', (epoch, expected) => {
    expect(endOffsetForEpoch(entries, epoch, 33n)).toEqual(expected)
  })
  it('knows nothing without entries', () => {
    expect(endOffsetForEpoch([], 0, 5n)).toBeNull()
  })
})
