import { describe, expect, it } from '@jest/globals'
import type { PartitionLog, StampedBatch } from '../../src/application/ports/log-store.ts'
import { WriteQueue } from '../../src/application/write-queue.ts'
import { settle } from '../support/stalling-log-store.ts'

const batchAt = (offset: bigint): StampedBatch => ({
  bytes: new Uint8Array(1),
  baseOffset: offset,
  lastOffset: offset,
  maxTimestamp: 0n,
  leaderEpoch: 0,
})

describe('the ordered writer of one log', () => {
  it('has one append under way, also when the answer to a duplicate lets new appends in', async () => {
    const appends: bigint[][] = []
    const finish: (() => void)[] = []
    const append = (_: bigint, batches: readonly StampedBatch[]) => {
      appends.push(batches.map(({ baseOffset }) => baseOffset))
      return new Promise<'appended'>((resolve) => finish.push(() => resolve('appended')))
    }
    const log = { append } as unknown as PartitionLog
    const queue = new WriteQueue(log, { written: () => undefined, failed: () => undefined })
    const settled: bigint[] = []
    const write = (offset: bigint) => ({ batch: batchAt(offset), settle: () => settled.push(offset) })
    queue.push({
      batch: null,
      settle: () => {
        queue.push(write(0n))
        queue.push(write(1n))
      },
    })
    await settle()
    expect([appends, finish.length]).toEqual([[[0n, 1n]], 1])
    queue.push(write(2n))
    await settle()
    expect(finish).toHaveLength(1)
    finish[0]!()
    await settle()
    expect([appends, settled]).toEqual([
      [[0n, 1n], [2n]],
      [0n, 1n],
    ])
  })

  it('writes in the same turn what the log takes at once, and fails as a whole when that fails', async () => {
    const appends: bigint[][] = []
    let fails = false
    const appendNow = (_: bigint, batches: readonly StampedBatch[]) => {
      if (fails) throw new Error('EIO')
      appends.push(batches.map(({ baseOffset }) => baseOffset))
      return 'appended'
    }
    const log = { appendNow, append: () => Promise.reject(new Error('not asked for')) } as unknown as PartitionLog
    const events: string[] = []
    const queue = new WriteQueue(log, {
      written: (_, end) => events.push(`written to ${end}`),
      failed: (cause) => events.push(String(cause)),
    })
    const write = (offset: bigint) => ({
      batch: batchAt(offset),
      settle: (written: boolean) => events.push(`${offset} ${written ? 'settled' : 'lost'}`),
    })
    queue.push(write(0n))
    queue.push(write(1n))
    await queue.idle()
    expect(appends).toEqual([[0n, 1n]])
    fails = true
    queue.push(write(2n))
    await queue.idle()
    queue.push(write(3n))
    expect(events).toEqual(['written to 2', '0 settled', '1 settled', 'Error: EIO', '2 lost', '3 lost'])
  })
})
