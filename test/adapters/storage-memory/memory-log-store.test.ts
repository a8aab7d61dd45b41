import { describe, expect, it } from '@jest/globals'
import { MemoryLogStore } from '../../../src/adapters/storage-memory/memory-log-store.ts'
import { logStoreContract } from '../../contracts/log-store.ts'
import { logUpkeepContract } from '../../contracts/log-upkeep.ts'
import { appendAll, countedLease, storedBatch, testLogOptions } from '../../support/stored-batches.ts'

const harness = async () => {
  const store = new MemoryLogStore()
  return { store, reopened: () => store, dispose: async () => undefined }
}
logStoreContract('memory', harness)
logUpkeepContract('memory', harness)

describe('MemoryLogStore', () => {
  const partition = { topic: 't', partition: 0 }

  it('gives the frames of trimmed batches back while readers keep theirs', async () => {
    const log = await new MemoryLogStore().open(partition, testLogOptions)
    const leases = [countedLease(), countedLease(), countedLease()]
    for (const [i, lease] of leases.entries()) await appendAll(log, [storedBatch({ baseOffset: BigInt(i), lease })])
    expect(leases.map(({ held }) => held)).toEqual([2, 2, 2])
    const slice = await log.read(0n, { bytesMax: 81, atLeastOne: true, before: 9n })
    await log.trim(2n)
    expect(leases.map(({ held }) => held)).toEqual([2, 1, 2])
    slice.release()
    slice.release()
    expect(leases.map(({ held }) => held)).toEqual([1, 1, 2])
  })

  it('keeps small batches of large frames together in memory of their own', async () => {
    const log = await new MemoryLogStore().open(partition, testLogOptions)
    const frame = new Uint8Array(100_000)
    for (let i = 0; i < 1000; i++) {
      const batch = storedBatch({ baseOffset: BigInt(i) })
      frame.set(batch.bytes, 500)
      await appendAll(log, [{ ...batch, bytes: frame.subarray(500, 500 + batch.bytes.byteLength) }])
    }
    const slice = await log.read(0n, { bytesMax: 1 << 20, atLeastOne: true, before: 2000n })
    expect(slice.bytes).toBe(81_000)
    expect(slice.chunks.length).toBeLessThan(10)
    const memory = new Set(slice.chunks.map(({ buffer }) => buffer))
    expect([...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(150_000)
  })

  it('shortens segment.ms by a jitter when it has randomness', async () => {
    const log = await new MemoryLogStore({ integer: () => 60 }).open(partition, {
      ...testLogOptions,
      segmentMs: 100n,
      segmentJitterMs: 50n,
    })
    const announce = (lastOffset: bigint, maxTimestamp: bigint) =>
      log.announce({ sizeBytes: 81, lastOffset, maxTimestamp }, 0n)
    expect(announce(0n, 1000n)).toBe('same segment')
    expect(announce(1n, 1090n)).toBe('same segment')
    expect(announce(2n, 1091n)).toBe('new segment')
  })
})
