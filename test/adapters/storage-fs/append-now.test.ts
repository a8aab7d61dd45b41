/** Appends that are done when they return: the same log as by `append`, and nothing where that would have to wait. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { writevSync } from 'node:fs'
import { nodeFileSystem, type FileSystem } from '../../../src/adapters/storage-fs/file-system.ts'
import type { LogOptions, PartitionLog, StampedBatch } from '../../../src/application/ports/log-store.ts'
import { fileStorage, type FileStorage } from '../../support/file-storage.ts'
import { appendAll, storedBatch, takeBytes, testLogOptions } from '../../support/stored-batches.ts'

const all = { bytesMax: 1 << 30, atLeastOne: true, before: 1n << 60n }
const bytesOf = (batches: readonly StampedBatch[]) => Buffer.concat(batches.map(({ bytes }) => bytes))

describe('an append in the same turn', () => {
  let storage: FileStorage
  beforeEach(async () => {
    storage = await fileStorage()
  })
  afterEach(() => storage.dispose())

  /** A log with one batch, so that its file is open. */
  async function logWith(writevNow: FileSystem['writevNow'], options: Partial<LogOptions> = {}) {
    const fileSystem = { ...nodeFileSystem, ...(writevNow === undefined ? {} : { writevNow }) }
    const store = storage.store({ fileSystem })
    await store.start()
    const log = await store.open({ topic: 't', partition: 0 }, { ...testLogOptions, ...options })
    const first = storedBatch({ baseOffset: 0n })
    await appendAll(log, [first])
    return { store, log, first }
  }

  const blocking: FileSystem['writevNow'] = (fd, chunks, position) => writevSync(fd, chunks, position)

  async function stored(log: PartitionLog) {
    return { bytes: Buffer.from(takeBytes(await log.read(0n, all))), end: log.range().end }
  }

  it('is in the log when it returns, also after a restart', async () => {
    const { store, log, first } = await logWith(blocking)
    const batches = [storedBatch({ baseOffset: 1n }), storedBatch({ baseOffset: 2n })]
    expect(log.appendNow!(1n, batches)).toBe('appended')
    expect(await stored(log)).toEqual({ bytes: bytesOf([first, ...batches]), end: 3n })
    await store.close()
    const again = storage.store()
    await again.start()
    const reopened = await again.open({ topic: 't', partition: 0 }, testLogOptions)
    expect(await stored(reopened)).toEqual({ bytes: bytesOf([first, ...batches]), end: 3n })
    await again.close()
  })

  it.each<[string, FileSystem['writevNow'], Partial<LogOptions>, Partial<StampedBatch>, bigint]>([
    ['whose file system has none', undefined, {}, {}, 1n],
    ['whose file system refuses', () => null, {}, {}, 1n],
    ['that is written in part', (fd, chunks, at) => writevSync(fd, [chunks[0]!.subarray(0, 9)], at), {}, {}, 1n],
    ['that is to be flushed', blocking, { flushMessages: 1n }, {}, 1n],
    ['that begins a segment', blocking, {}, { newSegment: { snapshot: null } }, 1n],
    [
      'that has an entry for aborted transactions',
      blocking,
      {},
      { aborted: { producerId: 1n, firstOffset: 0n, lastOffset: 1n, lastStableOffset: 2n } },
      1n,
    ],
    ['at another offset', blocking, {}, {}, 2n],
  ])('is left to the longer way: one %s', async (_, writevNow, options, fields, at) => {
    const { store, log, first } = await logWith(writevNow, options)
    const batch = { ...storedBatch({ baseOffset: at }), ...fields }
    expect(log.appendNow!(at, [batch])).toBeNull()
    expect(await stored(log)).toEqual({ bytes: bytesOf([first]), end: 1n })
    if (at === 1n) {
      await appendAll(log, [batch])
      expect(await stored(log)).toEqual({ bytes: bytesOf([first, batch]), end: 2n })
    }
    await store.close()
  })

  it('waits for a change that is under way', async () => {
    const { store, log } = await logWith(blocking)
    const trimmed = log.trim(1n)
    expect(log.appendNow!(1n, [storedBatch({ baseOffset: 1n })])).toBeNull()
    await trimmed
    expect(log.appendNow!(1n, [storedBatch({ baseOffset: 1n })])).toBe('appended')
    await store.close()
  })
})
