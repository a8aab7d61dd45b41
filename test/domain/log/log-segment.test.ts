import { describe, expect, it } from '@jest/globals'
import { indexFileBytes, RollPlan, segmentJitter, SegmentShape } from '../../../src/domain/log/log-segment.ts'

const rules = { segmentBytes: 1000, segmentMs: 100n, segmentIndexBytes: 80, indexIntervalBytes: 150 }
const state = { baseOffset: 10n, jitterMs: 0n, sizeBytes: 500, firstTimestamp: 1000n }
const batch = { sizeBytes: 100, lastOffset: 20n, maxTimestamp: 1050n }

describe('SegmentShape.mustRoll', () => {
  it.each([
    ['everything in bounds', {}, {}, false],
    ['exactly full', {}, { sizeBytes: 500 }, false],
    ['one byte too many', {}, { sizeBytes: 501 }, true],
    ['as old as allowed', {}, { maxTimestamp: 1100n }, false],
    ['too old by its records', {}, { maxTimestamp: 1101n }, true],
    ['too old after jitter', { jitterMs: 60n }, {}, true],
    ['records of an earlier time', {}, { maxTimestamp: 1n }, false],
    ['a full offset index', { offsetEntries: 10 }, {}, true],
    ['a time index with room for the last entry only', { timeEntries: 5 }, {}, true],
    ['an offset as far as int32 reaches', {}, { lastOffset: 10n + 0x7fff_ffffn }, false],
    ['an offset too far', {}, { lastOffset: 11n + 0x7fff_ffffn }, true],
    ['an empty segment and a batch larger than it', { sizeBytes: 0 }, { sizeBytes: 5000 }, false],
  ])('%s', (_, segment, appended, expected) => {
    expect(new SegmentShape({ ...state, ...segment }).mustRoll({ ...batch, ...appended }, 0n, rules)).toBe(expected)
  })
  it('goes by the clock where records have no timestamps', () => {
    const shape = new SegmentShape({ ...state, firstTimestamp: -1n })
    const untimed = { ...batch, maxTimestamp: -1n }
    expect(shape.mustRoll(untimed, 5000n, rules)).toBe(false)
    expect(shape.mustRoll(untimed, 5100n, rules)).toBe(false)
    expect(shape.mustRoll(untimed, 5101n, rules)).toBe(true)
  })
})

describe('SegmentShape.add', () => {
  it('gives an index entry to the batch behind more than the interval, never to the first', () => {
    const shape = new SegmentShape({ baseOffset: 0n, jitterMs: 0n })
    const add = (maxTimestamp: bigint) => shape.add({ ...batch, maxTimestamp }, 150)
    expect([5n, 6n, 7n, 3n, 2n].map(add)).toEqual([false, false, true, false, true])
    expect(shape).toMatchObject({ sizeBytes: 500, offsetEntries: 2, timeEntries: 1, lastTimeEntry: 7n })
    expect(shape).toMatchObject({ firstTimestamp: 5n, maxTimestamp: 7n })
    expect(shape.takeTimeEntry()).toBe(false)
    add(9n)
    expect(shape.takeTimeEntry()).toBe(true)
  })
  it('remembers the first batch of several with the largest timestamp', () => {
    const shape = new SegmentShape({ baseOffset: 0n, jitterMs: 0n })
    shape.add({ ...batch, lastOffset: 3n, maxTimestamp: 7n }, 150)
    shape.add({ ...batch, lastOffset: 4n, maxTimestamp: 7n }, 150)
    expect(shape.maxTimestampOffset).toBe(3n)
  })
})

describe('RollPlan', () => {
  it('runs ahead of the segment and comes back to it', () => {
    const active = new SegmentShape({ baseOffset: 0n, jitterMs: 0n })
    const plan = new RollPlan(active, 0n)
    const announce = (lastOffset: bigint) =>
      plan.announce({ ...batch, lastOffset, sizeBytes: 400 }, 0n, rules, () => 0n)
    expect([1n, 2n, 3n, 4n, 5n].map(announce)).toEqual([false, false, true, false, true])
    expect(plan.end).toBe(6n)
    plan.reset(active, 0n)
    expect(announce(1n)).toBe(false)
    expect(active.sizeBytes).toBe(0)
  })
})

it('index files hold whole entries', () => {
  expect([indexFileBytes(10485760, 8), indexFileBytes(10485760, 12), indexFileBytes(7, 8)]).toEqual([
    10485760, 10485756, 0,
  ])
})

it('jitter stays below both of its bounds', () => {
  expect(segmentJitter(1234, 100n, 1000n)).toBe(34n)
  expect(segmentJitter(1234, 5000n, 1000n)).toBe(234n)
  expect(segmentJitter(1234, 0n, 1000n)).toBe(0n)
})
