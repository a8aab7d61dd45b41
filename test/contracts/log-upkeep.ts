/** The part of the LogStore contract that retention and compaction live on. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { LogStore, PartitionLog, StampedBatch } from '../../src/application/ports/log-store.ts'
import { StorageError } from '../../src/application/ports/log-store.ts'
import {
  appendAll,
  baseOffsets,
  lookupMaxTimestamp,
  lookupTimestamp,
  producerSnapshot,
  storedBatch,
  takeBytes,
  testLogOptions,
} from '../support/stored-batches.ts'
import type { LogStoreHarness } from './log-store.ts'

const partition = { topic: 'orders', partition: 3 }
/** Four batches of two records to a segment: bases 0, 8, 16, … */
const small = { ...testLogOptions, segmentBytes: 400, indexIntervalBytes: 100, fileDeleteDelayMs: 0n }

function batchesFrom(from: bigint, count: number): StampedBatch[] {
  return Array.from({ length: count }, (_, i) => storedBatch({ baseOffset: from + BigInt(i * 2), count: 2 }))
}

async function allOffsets(log: PartitionLog): Promise<bigint[]> {
  const { start, end } = log.range()
  return baseOffsets(takeBytes(await log.read(start, { bytesMax: 1 << 30, atLeastOne: true, before: end })))
}

async function* inGroups(...groups: readonly StampedBatch[][]) {
  for (const group of groups) yield await Promise.resolve(group)
}

const bases = (log: PartitionLog) => log.segments().map(({ baseOffset }) => baseOffset)

export function logUpkeepContract(name: string, makeHarness: () => Promise<LogStoreHarness>): void {
  describe(`upkeep of logs: ${name}`, () => {
    let harness: LogStoreHarness
    let store: LogStore
    let log: PartitionLog
    beforeEach(async () => {
      harness = await makeHarness()
      store = harness.store
      await store.start()
      log = await store.open(partition, small)
    })
    afterEach(async () => {
      await store.close()
      await harness.dispose()
    })
    const restart = async () => {
      await store.close()
      store = harness.reopened()
      await store.start()
      log = await store.open(partition, small)
    }

    describe('segments', () => {
      it('tells bases, sizes and largest timestamps, also after a restart', async () => {
        await appendAll(log, batchesFrom(0n, 9))
        const check = async () => {
          expect(bases(log)).toEqual([0n, 8n, 16n])
          expect(log.segments().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(log.sizeBytes())
          expect(await log.largestTimestamp(0n)).toBe(1007n)
          expect(await log.largestTimestamp(16n)).toBe(1017n)
          expect(await log.largestTimestamp(9n)).toBe('conflict')
        }
        await check()
        await restart()
        await check()
      })
    })

    describe('roll', () => {
      it('begins a new segment at the end, so that everything can be trimmed away', async () => {
        await appendAll(log, batchesFrom(0n, 5))
        expect(await log.roll(10n, producerSnapshot())).toBe('rolled')
        expect(bases(log)).toEqual([0n, 8n, 10n])
        expect((await log.loadSnapshot(100n))?.offset).toBe(10n)
        await log.trim(10n)
        expect(bases(log)).toEqual([10n])
        expect(log.sizeBytes()).toBe(0)
        await restart()
        expect(log.range()).toEqual({ start: 10n, end: 10n })
        expect(await appendAll(log, batchesFrom(10n, 5))).toBe('appended')
        expect(bases(log)).toEqual([10n, 18n])
      })
      it('keeps an empty active segment, and refuses when the log ends elsewhere or will', async () => {
        expect(await log.roll(0n, null)).toBe('rolled')
        expect(bases(log)).toEqual([0n])
        await appendAll(log, batchesFrom(0n, 1))
        expect(await log.roll(0n, null)).toBe('conflict')
        const next = storedBatch({ baseOffset: 2n })
        log.announce({ sizeBytes: next.bytes.byteLength, lastOffset: 2n, maxTimestamp: 1n }, 1n)
        expect(await log.roll(2n, null)).toBe('conflict')
        expect(await log.append(2n, [next])).toBe('appended')
        expect(bases(log)).toEqual([0n])
        expect(await allOffsets(log)).toEqual([0n, 2n])
      })
      it('weighs what is announced next against the new segment', async () => {
        await appendAll(log, batchesFrom(0n, 4))
        expect(await log.roll(8n, null)).toBe('rolled')
        await appendAll(log, batchesFrom(8n, 4))
        expect(bases(log)).toEqual([0n, 8n])
      })
    })

    describe('replaceSegments', () => {
      it('puts one segment in the place of several, gaps and all', async () => {
        await appendAll(log, batchesFrom(0n, 14)) // 0, 8, 16, 24
        const full = log.sizeBytes()
        const kept = [storedBatch({ baseOffset: 4n, count: 2 }), storedBatch({ baseOffset: 10n, count: 2 })]
        expect(await log.replaceSegments(0n, 16n, inGroups([kept[0]!], [], [kept[1]!]))).toBe('replaced')
        expect(await log.replaceSegments(16n, 24n, inGroups([]))).toBe('replaced')
        const check = async () => {
          expect(bases(log)).toEqual([0n, 16n, 24n])
          expect(log.range()).toEqual({ start: 0n, end: 28n })
          expect(await allOffsets(log)).toEqual([4n, 10n, 24n, 26n])
          for (const [from, first] of [
            [5n, 4n],
            [6n, 10n],
            [12n, 24n],
            [23n, 24n],
          ] as const) {
            const slice = await log.read(from, { bytesMax: 1, atLeastOne: true, before: 28n })
            expect([from, ...baseOffsets(takeBytes(slice))]).toEqual([from, first])
          }
          expect((await log.offsetForTimestamp(1000n, lookupTimestamp))?.offset).toBe(4n)
          expect((await log.offsetForTimestamp(1012n, lookupTimestamp))?.offset).toBe(24n)
          expect((await log.offsetOfMaxTimestamp(lookupMaxTimestamp))?.offset).toBe(27n)
          expect(await log.largestTimestamp(0n)).toBe(1011n)
          expect((await log.loadSnapshot(23n))?.offset).toBe(16n)
          expect(await log.loadSnapshot(15n)).toBeNull()
          expect(log.sizeBytes()).toBeLessThan(full)
        }
        await check()
        await restart()
        await check()
        await appendAll(log, batchesFrom(28n, 2))
        expect(await allOffsets(log)).toEqual([4n, 10n, 24n, 26n, 28n, 30n])
      })
      it('copies the batches: their memory may be used again', async () => {
        await appendAll(log, batchesFrom(0n, 6))
        const memory = new Uint8Array(1000)
        const again = async function* () {
          for (const batch of batchesFrom(0n, 3)) {
            memory.set(batch.bytes)
            yield await Promise.resolve([{ ...batch, bytes: memory.subarray(0, batch.bytes.byteLength) }])
          }
        }
        await log.replaceSegments(0n, 8n, again())
        expect(await allOffsets(log)).toEqual([0n, 2n, 4n, 8n, 10n])
      })
      it('goes on with reads and appends, and keeps what readers hold', async () => {
        await appendAll(log, batchesFrom(0n, 9))
        const held = await log.read(0n, { bytesMax: 1 << 20, atLeastOne: true, before: 100n })
        const busy = async function* () {
          yield [storedBatch({ baseOffset: 6n, count: 2 })]
          await appendAll(log, batchesFrom(18n, 6))
          expect((await allOffsets(log)).length).toBe(15)
        }
        expect(await log.replaceSegments(0n, 16n, busy())).toBe('replaced')
        expect(baseOffsets(takeBytes(held)).length).toBe(9)
        expect(await allOffsets(log)).toEqual([6n, 16n, 18n, 20n, 22n, 24n, 26n, 28n])
      })
      it('changes nothing when its segments are not there (any more), or its batches fail', async () => {
        await appendAll(log, batchesFrom(0n, 13))
        const before = await allOffsets(log)
        expect(await log.replaceSegments(2n, 8n, inGroups([]))).toBe('conflict')
        expect(await log.replaceSegments(0n, 9n, inGroups([]))).toBe('conflict')
        await expect(log.replaceSegments(8n, 8n, inGroups([]))).rejects.toThrow(RangeError)
        const failing = async function* () {
          yield batchesFrom(0n, 1)
          await Promise.reject(new Error('not today'))
        }
        await expect(log.replaceSegments(0n, 8n, failing())).rejects.toThrow('not today')
        const wrong = inGroups([storedBatch({ baseOffset: 8n })])
        await expect(log.replaceSegments(0n, 8n, wrong)).rejects.toThrow(RangeError)
        expect(await allOffsets(log)).toEqual(before)
        const trimming = async function* () {
          await log.trim(9n)
          yield batchesFrom(0n, 1)
        }
        expect(await log.replaceSegments(0n, 8n, trimming())).toBe('conflict')
        expect(await allOffsets(log)).toEqual(before.slice(4))
        await restart()
        expect(await allOffsets(log)).toEqual(before.slice(4))
      })
      it('fails with the log that is closed meanwhile', async () => {
        await appendAll(log, batchesFrom(0n, 13))
        const closing = async function* () {
          await store.close()
          yield batchesFrom(0n, 1)
        }
        await expect(log.replaceSegments(0n, 8n, closing())).rejects.toThrow(StorageError)
        store = harness.reopened()
        await store.start()
        log = await store.open(partition, small)
        expect((await allOffsets(log)).length).toBe(13)
      })
    })

    describe('aborted transactions', () => {
      const aborted = (producerId: bigint, firstOffset: bigint, lastOffset: bigint, lastStableOffset: bigint) => ({
        producerId,
        firstOffset,
        lastOffset,
        lastStableOffset,
      })
      const one = aborted(7n, 1n, 4n, 3n)
      const two = aborted(8n, 3n, 6n, 7n)
      const three = aborted(7n, 12n, 14n, 15n)
      beforeEach(async () => {
        const batches = Array.from({ length: 16 }, (_, i) => storedBatch({ baseOffset: BigInt(i) }))
        const marked = batches.map((batch) => {
          const transaction = [one, two, three].find(({ lastOffset }) => lastOffset === batch.baseOffset)
          return transaction === undefined ? batch : { ...batch, aborted: transaction }
        })
        await appendAll(log, marked) // segments at 0, 4, 8, 12
      })
      it('are told where they overlap, also after a restart', async () => {
        const check = async () => {
          expect(await log.abortedTransactions(0n, 16n)).toEqual([one, two, three])
          expect(await log.abortedTransactions(0n, 3n)).toEqual([one])
          expect(await log.abortedTransactions(5n, 6n)).toEqual([two])
          expect(await log.abortedTransactions(7n, 12n)).toEqual([])
          expect(await log.abortedTransactions(14n, 16n)).toEqual([three])
        }
        await check()
        await restart()
        await check()
      })
      it('go with their markers, and come with rewritten ones', async () => {
        await log.truncate(14n)
        expect(await log.abortedTransactions(0n, 16n)).toEqual([one, two])
        const marker = { ...storedBatch({ baseOffset: 6n }), aborted: two }
        expect(await log.replaceSegments(0n, 8n, inGroups([marker]))).toBe('replaced')
        expect(await log.abortedTransactions(0n, 16n)).toEqual([two])
        await restart()
        expect(await log.abortedTransactions(0n, 16n)).toEqual([two])
        await log.trim(13n)
        expect(await log.abortedTransactions(13n, 16n)).toEqual([])
      })
      it('are replaced from an offset on by those that were found in the log', async () => {
        expect(log.unsoundFrom).toBeNull()
        const other = aborted(9n, 10n, 13n, 12n)
        await log.restoreAborted(5n, [other, three])
        expect(await log.abortedTransactions(0n, 16n)).toEqual([one, other, three])
        expect(await log.abortedTransactions(5n, 14n)).toEqual([other, three])
        await restart()
        expect(await log.abortedTransactions(0n, 16n)).toEqual([one, other, three])
        await log.restoreAborted(0n, [])
        expect(await log.abortedTransactions(0n, 16n)).toEqual([])
        await restart()
        expect(await log.abortedTransactions(0n, 16n)).toEqual([])
        await appendAll(log, [{ ...storedBatch({ baseOffset: 16n }), aborted: aborted(7n, 15n, 16n, 17n) }])
        expect(await log.abortedTransactions(0n, 17n)).toEqual([aborted(7n, 15n, 16n, 17n)])
      })
    })

    it('remembers where compaction goes on, not past a cut and not for another topic', async () => {
      await appendAll(log, batchesFrom(0n, 6))
      expect(log.firstDirtyOffset()).toBeNull()
      await log.saveFirstDirtyOffset(8n)
      await restart()
      expect(log.firstDirtyOffset()).toBe(8n)
      await log.truncate(6n)
      expect(log.firstDirtyOffset()).toBe(6n)
      await store.delete(partition)
      log = await store.open(partition, { ...small, topicId: 'YW5vdGhlci10b3BpYy1pZA' })
      expect(log.firstDirtyOffset()).toBeNull()
    })
  })
}
