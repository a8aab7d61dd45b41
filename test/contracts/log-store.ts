/**
 * The contract of the LogStore port. Every adapter runs it; what only one adapter can do is in its own tests.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { LogStore, PartitionLog, StampedBatch } from '../../src/application/ports/log-store.ts'
import { StorageError } from '../../src/application/ports/log-store.ts'
import {
  appendAll,
  baseOffsets,
  countedLease,
  lookupMaxTimestamp,
  lookupTimestamp,
  producerSnapshot,
  storedBatch,
  takeBytes,
  testLogOptions,
} from '../support/stored-batches.ts'

/** One storage under test, with what a restart and the end of a test need. */
export interface LogStoreHarness {
  /** A store that is not started yet. */
  readonly store: LogStore
  /** After the store was closed: a store over the same data, not started. */
  reopened(): LogStore
  /** Removes everything. */
  dispose(): Promise<void>
}

const partition = { topic: 'orders', partition: 3 }
const noLimit = { bytesMax: 1 << 30, atLeastOne: true, before: 1n << 60n }
const options = testLogOptions
const small = { ...options, segmentBytes: 400, indexIntervalBytes: 100 }

/** `count` batches of `per` records each, from `from` on. */
function batchesFrom(from: bigint, count: number, per = 2): StampedBatch[] {
  return Array.from({ length: count }, (_, i) => storedBatch({ baseOffset: from + BigInt(i * per), count: per }))
}

async function readOffsets(log: PartitionLog, from: bigint, limits = {}): Promise<bigint[]> {
  return baseOffsets(takeBytes(await log.read(from, { ...noLimit, ...limits })))
}

export function logStoreContract(name: string, makeHarness: () => Promise<LogStoreHarness>): void {
  describe(`LogStore: ${name}`, () => {
    let harness: LogStoreHarness
    let store: LogStore
    beforeEach(async () => {
      harness = await makeHarness()
      store = harness.store
      await store.start()
    })
    afterEach(async () => {
      await store.close()
      await harness.dispose()
    })
    const restart = async () => {
      await store.close()
      store = harness.reopened()
      await store.start()
    }

    describe('logs', () => {
      it('are created empty on their first open, and listed with their topic id', async () => {
        const log = await store.open(partition, options)
        expect(log.range()).toEqual({ start: 0n, end: 0n })
        expect(log.sizeBytes()).toBe(0)
        expect(log.topicId).toBe(options.topicId)
        expect(log.topicPartition).toEqual(partition)
        expect(log.leaderEpochs()).toEqual([])
        expect(await store.list()).toEqual([
          { topicPartition: partition, directory: log.directory, topicId: options.topicId, needsRecovery: false },
        ])
      })
      it('are the same object however often and however concurrently they are opened', async () => {
        const [one, two] = await Promise.all([store.open(partition, options), store.open(partition, options)])
        expect(one).toBe(two)
        expect(await store.open(partition, options)).toBe(one)
      })
      it('are refused under another topic id, and stay as they are', async () => {
        const log = await store.open(partition, options)
        await appendAll(log, batchesFrom(0n, 1))
        await restart()
        const other = { ...options, topicId: 'YW5vdGhlci10b3BpYy1pZA' }
        await expect(store.open(partition, other)).rejects.toThrow(StorageError)
        expect((await store.open(partition, options)).range().end).toBe(2n)
      })
      it('make room for another topic id when they are set aside', async () => {
        await appendAll(await store.open(partition, options), batchesFrom(0n, 1))
        await restart()
        await store.setAside(partition)
        expect(await store.list()).toEqual([])
        const other = { ...options, topicId: 'YW5vdGhlci10b3BpYy1pZA' }
        expect((await store.open(partition, other)).range()).toEqual({ start: 0n, end: 0n })
      })
      it('with dashes and dots in their names are told apart', async () => {
        const names = ['a-1', 'a', 'a-1-2', 'a.b_c-']
        for (const topic of names) await store.open({ topic, partition: 1 }, options)
        const listed = (await store.list()).map(({ topicPartition }) => topicPartition.topic)
        expect(listed.sort()).toEqual([...names].sort())
      })
      it('survive a clean restart with batches, epochs, start offset and size', async () => {
        const log = await store.open(partition, small)
        await appendAll(log, batchesFrom(0n, 9))
        await appendAll(log, [storedBatch({ baseOffset: 18n, leaderEpoch: 4 })])
        await log.trim(5n)
        const before = takeBytes(await log.read(5n, noLimit))
        const sizeBytes = log.sizeBytes()
        await restart()
        const again = await store.open(partition, small)
        expect(again.range()).toEqual({ start: 5n, end: 19n })
        expect(takeBytes(await again.read(5n, noLimit))).toEqual(before)
        expect(again.sizeBytes()).toBe(sizeBytes)
        expect(again.leaderEpochs()).toEqual([
          { epoch: 0, startOffset: 5n },
          { epoch: 4, startOffset: 18n },
        ])
      })
      it('are gone after delete, and begin anew with another topic id', async () => {
        const log = await store.open(partition, options)
        await appendAll(log, batchesFrom(0n, 3))
        const held = await log.read(0n, noLimit)
        await store.delete(partition)
        expect(await store.list()).toEqual([])
        await expect(log.append(6n, batchesFrom(6n, 1))).rejects.toThrow(StorageError)
        await expect(log.read(0n, noLimit)).rejects.toThrow(StorageError)
        expect(baseOffsets(takeBytes(held))).toEqual([0n, 2n, 4n])
        const anew = await store.open(partition, { ...options, topicId: 'YW5vdGhlci10b3BpYy1pZA' })
        expect(anew.range()).toEqual({ start: 0n, end: 0n })
        await store.delete({ topic: 'unknown', partition: 0 })
      })
      it('refuse everything after close', async () => {
        const log = await store.open(partition, options)
        await store.close()
        await expect(log.append(0n, batchesFrom(0n, 1))).rejects.toThrow(StorageError)
        await expect(log.read(0n, noLimit)).rejects.toThrow(StorageError)
        await expect(log.trim(0n)).rejects.toThrow(StorageError)
        await store.close()
      })
    })

    describe('append', () => {
      it('stores batches byte for byte, in order, over many segments', async () => {
        const log = await store.open(partition, small)
        const batches = batchesFrom(0n, 40)
        expect(await appendAll(log, batches.slice(0, 1))).toBe('appended')
        expect(await appendAll(log, batches.slice(1, 25))).toBe('appended')
        expect(await appendAll(log, batches.slice(25))).toBe('appended')
        expect(log.range()).toEqual({ start: 0n, end: 80n })
        const expected = new Uint8Array(Buffer.concat(batches.map(({ bytes }) => bytes)))
        expect(log.sizeBytes()).toBe(expected.byteLength)
        expect(takeBytes(await log.read(0n, noLimit))).toEqual(expected)
      })
      it('changes nothing when the log does not end at the expected offset', async () => {
        const log = await store.open(partition, options)
        await appendAll(log, batchesFrom(0n, 2))
        expect(await log.append(3n, batchesFrom(3n, 1))).toBe('conflict')
        expect(await log.append(5n, batchesFrom(5n, 1))).toBe('conflict')
        expect(log.range().end).toBe(4n)
        expect(await readOffsets(log, 0n)).toEqual([0n, 2n])
      })
      it('returns every lease by the time the log is deleted, and holds none longer than its memory', async () => {
        const log = await store.open(partition, options)
        const little = countedLease()
        const large = countedLease()
        const frame = new Uint8Array(10_000)
        const first = storedBatch({ baseOffset: 0n, lease: little })
        frame.set(first.bytes)
        await appendAll(log, [{ ...first, bytes: frame.subarray(0, first.bytes.byteLength) }])
        frame.fill(0xee)
        expect(little.held).toBe(1)
        await appendAll(log, [storedBatch({ baseOffset: 1n, bodyBytes: 5000, lease: large })])
        const slice = await log.read(0n, noLimit)
        await store.delete(partition)
        expect(baseOffsets(takeBytes(slice))).toEqual([0n, 1n])
        expect(large.held).toBe(1)
      })
      it('keeps the leader epochs in which it was written', async () => {
        const log = await store.open(partition, options)
        await appendAll(log, [
          storedBatch({ baseOffset: 0n, leaderEpoch: 1 }),
          storedBatch({ baseOffset: 1n, leaderEpoch: 1 }),
          storedBatch({ baseOffset: 2n, leaderEpoch: 5 }),
        ])
        expect(log.leaderEpochs()).toEqual([
          { epoch: 1, startOffset: 0n },
          { epoch: 5, startOffset: 2n },
        ])
      })
      it('waits for the disk where flush.messages asks for it', async () => {
        const log = await store.open(partition, { ...options, flushMessages: 1n })
        expect(await appendAll(log, batchesFrom(0n, 2))).toBe('appended')
        await log.flush()
      })
    })

    describe('announce', () => {
      const announced = (batch: StampedBatch) => ({
        sizeBytes: batch.bytes.byteLength,
        lastOffset: batch.lastOffset,
        maxTimestamp: batch.maxTimestamp,
      })
      it('begins a new segment where segment.bytes would be exceeded, counting what is announced and not written', async () => {
        const log = await store.open(partition, { ...options, segmentBytes: 200 })
        const answers = batchesFrom(0n, 5).map((batch) => log.announce(announced(batch), 0n))
        // 81 bytes each
        expect(answers).toEqual(['same segment', 'same segment', 'new segment', 'same segment', 'new segment'])
      })
      it('goes by the time of the records', async () => {
        const log = await store.open(partition, { ...options, segmentMs: 100n })
        const at = (baseOffset: bigint, timestamp: bigint) => announced(storedBatch({ baseOffset, timestamp }))
        expect(log.announce(at(0n, 5000n), 9_000_000n)).toBe('same segment')
        expect(log.announce(at(1n, 5100n), 9_000_000n)).toBe('same segment')
        expect(log.announce(at(2n, 5101n), 9_000_000n)).toBe('new segment')
      })
      it('is forgotten by a conflict and by truncate', async () => {
        const log = await store.open(partition, { ...options, segmentBytes: 200 })
        await appendAll(log, batchesFrom(0n, 2))
        const third = announced(storedBatch({ baseOffset: 4n }))
        expect(log.announce(third, 0n)).toBe('new segment')
        expect(await log.append(9n, batchesFrom(9n, 1))).toBe('conflict')
        expect(log.announce(third, 0n)).toBe('new segment')
        await log.truncate(2n)
        expect(log.announce(announced(storedBatch({ baseOffset: 2n })), 0n)).toBe('same segment')
      })
      it('follows configure from the next batch on', async () => {
        const log = await store.open(partition, options)
        await appendAll(log, batchesFrom(0n, 1))
        log.configure({ ...options, segmentBytes: 100 })
        expect(log.announce(announced(storedBatch({ baseOffset: 2n })), 0n)).toBe('new segment')
      })
    })

    describe('read', () => {
      it('begins with the batch that holds the offset and is empty at the end', async () => {
        const log = await store.open(partition, small)
        await appendAll(log, batchesFrom(0n, 10, 3))
        expect((await readOffsets(log, 4n))[0]).toBe(3n)
        expect((await readOffsets(log, 5n))[0]).toBe(3n)
        expect((await readOffsets(log, 6n))[0]).toBe(6n)
        const slice = await log.read(30n, noLimit)
        expect(slice.nextOffset).toBe(30n)
        expect(takeBytes(slice)).toHaveLength(0)
      })
      it('stops before the batch that is too many bytes, except the first one', async () => {
        const log = await store.open(partition, options)
        await appendAll(log, batchesFrom(0n, 10)) // 81 bytes each
        expect(await readOffsets(log, 0n, { bytesMax: 200 })).toEqual([0n, 2n])
        expect(await readOffsets(log, 0n, { bytesMax: 243 })).toEqual([0n, 2n, 4n])
        expect(await readOffsets(log, 3n, { bytesMax: 10 })).toEqual([2n])
        expect(await readOffsets(log, 3n, { bytesMax: 10, atLeastOne: false })).toEqual([])
        expect((await log.read(3n, { ...noLimit, bytesMax: 10, atLeastOne: false })).nextOffset).toBe(3n)
        expect((await log.read(3n, { ...noLimit, bytesMax: 0 })).nextOffset).toBe(4n)
      })
      it('returns large batches whole', async () => {
        const log = await store.open(partition, options)
        const large = storedBatch({ baseOffset: 1n, bodyBytes: 3_000_000 })
        await appendAll(log, [storedBatch({ baseOffset: 0n }), large, storedBatch({ baseOffset: 2n })])
        const alone = takeBytes(await log.read(1n, { ...noLimit, bytesMax: 1 }))
        expect(Buffer.compare(alone, large.bytes)).toBe(0)
        expect(await readOffsets(log, 0n)).toEqual([0n, 1n, 2n])
      })
      it('leaves out batches that begin at or past the bound', async () => {
        const log = await store.open(partition, small)
        await appendAll(log, batchesFrom(0n, 10))
        expect(await readOffsets(log, 0n, { before: 5n })).toEqual([0n, 2n, 4n])
        expect(await readOffsets(log, 0n, { before: 4n })).toEqual([0n, 2n])
        expect(await readOffsets(log, 6n, { before: 4n })).toEqual([])
      })
      it('refuses offsets outside of the log', async () => {
        const log = await store.open(partition, small)
        await appendAll(log, batchesFrom(0n, 10))
        await log.trim(7n)
        await expect(log.read(6n, noLimit)).rejects.toThrow(RangeError)
        await expect(log.read(21n, noLimit)).rejects.toThrow(RangeError)
      })
      it('gives slices that stay as they are while the log is cut and written again', async () => {
        const log = await store.open(partition, options)
        await appendAll(log, batchesFrom(0n, 4))
        const slice = await log.read(0n, noLimit)
        const before = Buffer.concat(slice.chunks)
        await log.truncate(2n)
        await appendAll(log, [storedBatch({ baseOffset: 2n, leaderEpoch: 9, count: 7 })])
        expect(Buffer.concat(slice.chunks)).toEqual(before)
        slice.release()
        expect(await readOffsets(log, 0n)).toEqual([0n, 2n])
        expect(log.range().end).toBe(9n)
      })
    })

    describe('timestamps', () => {
      const at = (baseOffset: bigint, timestamp: bigint, count = 1) => storedBatch({ baseOffset, timestamp, count })
      it('finds the first record that is late enough, at or after the start offset', async () => {
        const log = await store.open(partition, small)
        await appendAll(log, [at(0n, 100n, 5), at(5n, 300n), at(6n, 200n, 5), at(11n, 500n), at(12n, 400n)])
        const find = async (timestamp: bigint) => (await log.offsetForTimestamp(timestamp, lookupTimestamp))?.offset
        expect(await find(0n)).toBe(0n)
        expect(await find(102n)).toBe(2n)
        expect(await find(150n)).toBe(5n)
        expect(await find(301n)).toBe(11n)
        expect(await find(500n)).toBe(11n)
        expect(await find(501n)).toBeUndefined()
        await log.trim(3n)
        expect(await find(0n)).toBe(3n)
        await log.trim(6n)
        expect(await find(150n)).toBe(6n)
      })
      it('finds the record with the largest timestamp, the earliest of several', async () => {
        const log = await store.open(partition, small)
        const largest = () => log.offsetOfMaxTimestamp(lookupMaxTimestamp)
        expect(await largest()).toBeNull()
        const epoch = { leaderEpoch: 2 }
        await appendAll(log, [at(0n, 100n), storedBatch({ baseOffset: 1n, timestamp: 300n, ...epoch })])
        for (let offset = 2n; offset < 20n; offset++) {
          await appendAll(log, [storedBatch({ baseOffset: offset, timestamp: offset === 9n ? 300n : 200n, ...epoch })])
        }
        expect(await largest()).toEqual({ timestamp: 300n, offset: 1n, leaderEpoch: 2 })
        await log.trim(2n)
        expect(await largest()).toEqual({ timestamp: 300n, offset: 9n, leaderEpoch: 2 })
        await log.trim(20n)
        expect(await largest()).toBeNull()
      })
      it('still finds them after a restart', async () => {
        const log = await store.open(partition, small)
        await appendAll(log, [at(0n, 100n, 5), at(5n, 300n), at(6n, 200n, 5), at(11n, 500n), at(12n, 400n)])
        await restart()
        const again = await store.open(partition, small)
        expect((await again.offsetForTimestamp(301n, lookupTimestamp))?.offset).toBe(11n)
        expect((await again.offsetOfMaxTimestamp(lookupMaxTimestamp))?.offset).toBe(11n)
      })
    })

    describe('trim and truncate', () => {
      it('moves the start up, never down, and gives room back', async () => {
        const log = await store.open(partition, small)
        await appendAll(log, batchesFrom(0n, 40))
        const full = log.sizeBytes()
        await log.trim(61n)
        expect(log.range()).toEqual({ start: 61n, end: 80n })
        expect(log.sizeBytes()).toBeLessThan(full / 2)
        await log.trim(10n)
        expect(log.range().start).toBe(61n)
        expect((await readOffsets(log, 61n))[0]).toBe(60n)
        expect(log.leaderEpochs()).toEqual([{ epoch: 0, startOffset: 61n }])
        await log.trim(80n)
        expect(log.range()).toEqual({ start: 80n, end: 80n })
        await appendAll(log, batchesFrom(80n, 2))
        expect(await readOffsets(log, 80n)).toEqual([80n, 82n])
        await expect(log.trim(85n)).rejects.toThrow(RangeError)
      })
      it('keeps a trimmed start over a restart', async () => {
        const log = await store.open(partition, small)
        await appendAll(log, batchesFrom(0n, 40))
        await log.trim(80n)
        await restart()
        expect((await store.open(partition, small)).range()).toEqual({ start: 80n, end: 80n })
      })
      it('cuts the end off and goes on from there', async () => {
        const log = await store.open(partition, small)
        await appendAll(log, batchesFrom(0n, 20))
        await appendAll(log, [storedBatch({ baseOffset: 40n, leaderEpoch: 3 })])
        await log.truncate(14n)
        expect(log.range()).toEqual({ start: 0n, end: 14n })
        expect(log.leaderEpochs()).toEqual([{ epoch: 0, startOffset: 0n }])
        expect(await readOffsets(log, 0n)).toEqual([0n, 2n, 4n, 6n, 8n, 10n, 12n])
        expect((await log.offsetOfMaxTimestamp(lookupMaxTimestamp))?.offset).toBe(13n)
        await appendAll(log, [storedBatch({ baseOffset: 14n, leaderEpoch: 4, count: 3 })])
        await restart()
        const again = await store.open(partition, small)
        expect(again.range().end).toBe(17n)
        expect(await readOffsets(again, 12n)).toEqual([12n, 14n])
        await again.truncate(0n)
        expect(again.range()).toEqual({ start: 0n, end: 0n })
        expect(again.sizeBytes()).toBe(0)
        expect(again.leaderEpochs()).toEqual([])
        await expect(again.truncate(1n)).rejects.toThrow(RangeError)
        await appendAll(again, batchesFrom(0n, 2))
        await expect(again.truncate(3n)).rejects.toThrow(RangeError)
        expect(await readOffsets(again, 0n)).toEqual([0n, 2n])
      })
    })

    describe('snapshots', () => {
      it('answers the newest at or below an offset, also after a restart', async () => {
        const log = await store.open(partition, options)
        await appendAll(log, batchesFrom(0n, 5))
        expect(await log.loadSnapshot(10n)).toBeNull()
        await log.saveSnapshot({ offset: 6n, bytes: producerSnapshot() })
        expect(await log.loadSnapshot(5n)).toBeNull()
        await restart()
        const again = await store.open(partition, options)
        expect(await again.loadSnapshot(10n)).toEqual({ offset: 6n, bytes: producerSnapshot() })
      })
      it('keeps the one that came with a new segment, and drops those past a cut', async () => {
        const log = await store.open(partition, small)
        await appendAll(log, batchesFrom(0n, 12)) // segments at 0, 8, 16
        await log.saveSnapshot({ offset: 24n, bytes: producerSnapshot() })
        expect((await log.loadSnapshot(30n))?.offset).toBe(24n)
        expect((await log.loadSnapshot(20n))?.offset).toBe(16n)
        await log.truncate(10n)
        expect((await log.loadSnapshot(30n))?.offset).toBe(8n)
        await log.trim(10n)
      })
    })

    it('tells its directories', async () => {
      const directories = await store.directories()
      expect(directories.length).toBeGreaterThan(0)
      expect(directories[0]).toMatchObject({ online: true })
      const log = await store.open(partition, options)
      expect(directories.map(({ path }) => path)).toContain(log.directory)
    })
  })
}
