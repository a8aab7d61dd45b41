/** What happens when the disk fails, fills up or belongs to somebody else: nothing acknowledged is lost or torn. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileSystem } from '../../../src/adapters/storage-fs/file-system.ts'
import { nodeFileSystem } from '../../../src/adapters/storage-fs/file-system.ts'
import { StorageError } from '../../../src/application/ports/log-store.ts'
import type { FileStorage } from '../../support/file-storage.ts'
import { fileStorage } from '../../support/file-storage.ts'
import { appendAll, countedLease, storedBatch, takeBytes, testLogOptions } from '../../support/stored-batches.ts'

const one = { topic: 'one', partition: 0 }
const two = { topic: 'two', partition: 0 }
const all = { bytesMax: 1 << 30, atLeastOne: true, before: 1n << 60n }

function failing(overrides: Partial<FileSystem>): FileSystem {
  return { ...nodeFileSystem, ...overrides }
}

function noSpace(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
}

describe('a store whose disk fails', () => {
  let storage: FileStorage
  let data: string
  beforeEach(async () => {
    storage = await fileStorage()
    data = join(storage.path, 'data')
  })
  afterEach(() => storage.dispose())

  it('finishes short writes', async () => {
    const writev: FileSystem['writev'] = (fd, chunks, position) => {
      const bytes = Buffer.concat(chunks)
      return nodeFileSystem.writev(fd, [bytes.subarray(0, Math.max(1, Math.floor(bytes.byteLength / 3)))], position)
    }
    const store = storage.store({ fileSystem: failing({ writev }) })
    await store.start()
    const log = await store.open(one, testLogOptions)
    const batches = [storedBatch({ baseOffset: 0n }), storedBatch({ baseOffset: 1n, bodyBytes: 5000 })]
    await appendAll(log, batches)
    const expected = Buffer.concat(batches.map(({ bytes }) => bytes))
    expect(Buffer.compare(takeBytes(await log.read(0n, all)), expected)).toBe(0)
    await store.close()
  })

  it('has the entry of an aborted transaction before its marker, and cuts it when the marker never came', async () => {
    let fails = false
    const writev: FileSystem['writev'] = async (fd, chunks, position) => {
      // The entry is 34 bytes; the disk fails at the marker.
      if (fails && chunks[0]!.byteLength > 34) throw noSpace()
      return await nodeFileSystem.writev(fd, chunks, position)
    }
    const aborted = (at: bigint) => ({
      producerId: 1n,
      firstOffset: at - 1n,
      lastOffset: at,
      lastStableOffset: at + 1n,
    })
    const store = storage.store({ fileSystem: failing({ writev }) })
    await store.start()
    const log = await store.open(one, testLogOptions)
    const marker = (baseOffset: bigint) => ({
      ...storedBatch({ baseOffset, marker: true }),
      aborted: aborted(baseOffset),
    })
    await appendAll(log, [storedBatch({ baseOffset: 0n }), marker(1n), storedBatch({ baseOffset: 2n })])
    await log.flush()
    fails = true
    await expect(appendAll(log, [marker(3n)])).rejects.toThrow(StorageError)
    fails = false
    const index = join(data, 'one-0', '00000000000000000000.txnindex')
    expect((await stat(index)).size).toBe(68)
    await store.close()
    const again = storage.store()
    await again.start()
    const reopened = await again.open(one, testLogOptions)
    expect(await reopened.abortedTransactions(0n, 99n)).toEqual([aborted(1n)])
    expect((await stat(index)).size).toBe(34)
    expect(reopened.unsoundFrom).toBe(0n)
    await reopened.restoreAborted(0n, [aborted(1n)])
    expect(reopened.unsoundFrom).toBeNull()
    await appendAll(reopened, [marker(3n)])
    expect(await reopened.abortedTransactions(0n, 99n)).toEqual([aborted(1n), aborted(3n)])
    await again.close()
  })

  it('takes a log offline on a full disk, keeps what was acknowledged and serves the other logs', async () => {
    let full = false
    const writev: FileSystem['writev'] = async (fd, chunks, position) => {
      if (!full) return await nodeFileSystem.writev(fd, chunks, position)
      await nodeFileSystem.writev(fd, [chunks[0]!.subarray(0, 50)], position)
      throw noSpace()
    }
    const store = storage.store({ fileSystem: failing({ writev }) })
    await store.start()
    const [log, other] = [await store.open(one, testLogOptions), await store.open(two, testLogOptions)]
    await appendAll(log, [storedBatch({ baseOffset: 0n })])
    const lease = countedLease()
    // what a new log writes in the background is not meant
    await Promise.all([log.flush(), other.flush()])
    full = true
    const second = storedBatch({ baseOffset: 1n, lease })
    await expect(appendAll(log, [second])).rejects.toThrow(StorageError)
    full = false
    expect(lease.held).toBe(1)
    expect(log.range().end).toBe(1n)
    await expect(appendAll(log, [second])).rejects.toThrow(StorageError)
    await expect(log.read(0n, all)).rejects.toThrow(StorageError)
    await expect(log.flush()).rejects.toThrow(StorageError)
    expect((await stat(join(data, 'one-0', '00000000000000000000.log'))).size).toBe(second.bytes.byteLength)
    expect(await appendAll(other, [storedBatch({ baseOffset: 0n })])).toBe('appended')
    expect(storage.events.filter(({ event }) => event === 'log offline')).toHaveLength(1)
    await store.close()

    // the stop was not clean for that log, and the directory says so
    expect(await readdir(data)).not.toContain('.kafka_cleanshutdown')
    const again = storage.store()
    await again.start()
    expect((await again.open(one, testLogOptions)).range().end).toBe(1n)
    expect((await again.open(two, testLogOptions)).range().end).toBe(1n)
    await again.close()
    expect(await readdir(data)).toContain('.kafka_cleanshutdown')
  })

  it('keeps what was deleted deleted, when the files of a deletion cannot be renamed', async () => {
    let broken = false
    const rename: FileSystem['rename'] = (from, to) =>
      broken && to.endsWith('.deleted') ? Promise.reject(noSpace()) : nodeFileSystem.rename(from, to)
    const store = storage.store({ fileSystem: failing({ rename }) })
    await store.start()
    const options = { ...testLogOptions, segmentBytes: 100 }
    const log = await store.open(one, options)
    for (let offset = 0n; offset < 4n; offset++) {
      await appendAll(log, [storedBatch({ baseOffset: offset, bodyBytes: 50 })])
    }
    await log.trim(1n)
    broken = true
    await expect(log.trim(3n)).rejects.toThrow(StorageError)
    broken = false
    await store.close()

    const again = storage.store()
    await again.start()
    expect((await again.open(one, options)).range()).toEqual({ start: 3n, end: 4n })
    await again.close()
  })

  it('brings to the disk that a failed write was cut off: a power loss must not bring it back', async () => {
    const done: string[] = []
    let full = false
    const store = storage.store({
      fileSystem: failing({
        writev: async (fd, chunks, position) => {
          const written = await nodeFileSystem.writev(fd, chunks, position)
          if (full) throw noSpace()
          return written
        },
        truncate: (fd, bytes) => nodeFileSystem.truncate(fd, bytes).then(() => void done.push(`cut to ${bytes}`)),
        sync: (fd) => nodeFileSystem.sync(fd).then(() => void done.push('synced')),
      }),
    })
    await store.start()
    const log = await store.open(one, testLogOptions)
    const batch = storedBatch({ baseOffset: 0n })
    await appendAll(log, [batch])
    await log.flush()
    done.length = 0
    full = true
    await expect(appendAll(log, [storedBatch({ baseOffset: 1n })])).rejects.toThrow(StorageError)
    full = false
    expect(done).toEqual([`cut to ${batch.bytes.byteLength}`, 'synced'])
    await store.close()
  })

  it.each(['sync', 'read'] as const)('takes a log offline when %s fails', async (operation) => {
    let broken = false
    const fail = () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
    const fileSystem = failing({
      sync: (fd) => (broken && operation === 'sync' ? fail() : nodeFileSystem.sync(fd)),
      read: (...args) => (broken && operation === 'read' ? fail() : nodeFileSystem.read(...args)),
    })
    const store = storage.store({ fileSystem })
    await store.start()
    const log = await store.open(one, { ...testLogOptions, flushMessages: 1n })
    await appendAll(log, [storedBatch({ baseOffset: 0n })])
    broken = true
    const failed = operation === 'sync' ? appendAll(log, [storedBatch({ baseOffset: 1n })]) : log.read(0n, all)
    await expect(failed).rejects.toThrow(StorageError)
    broken = false
    await expect(appendAll(log, [storedBatch({ baseOffset: 1n })])).rejects.toThrow(StorageError)
    await store.close()
  })

  it('refuses a directory that another store has, and takes it when that one is gone', async () => {
    const first = storage.store()
    await first.start()
    const second = storage.store()
    await expect(second.start()).rejects.toThrow(/in use/)
    await first.close()
    await second.start()
    await second.close()
  })

  it('never touches a log that was closed cleanly and is damaged', async () => {
    const store = storage.store()
    await store.start()
    await appendAll(await store.open(one, testLogOptions), [
      storedBatch({ baseOffset: 0n }),
      storedBatch({ baseOffset: 1n }),
    ])
    await store.close()
    const path = join(data, 'one-0', '00000000000000000000.log')
    const torn = (await readFile(path)).subarray(0, 100)
    await writeFile(path, torn)
    const again = storage.store()
    await again.start()
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(again.open(one, testLogOptions)).rejects.toThrow(/damaged at byte 81, offset 1/)
    }
    expect((await again.open(two, testLogOptions)).range().end).toBe(0n)
    await again.close()
    expect((await readFile(path)).equals(torn)).toBe(true)
    expect(await readdir(data)).not.toContain('.kafka_cleanshutdown')
  })

  it('cuts the metadata log only where nothing sound follows', async () => {
    const metadata = { topic: '__cluster_metadata', partition: 0 }
    const path = join(data, '__cluster_metadata-0', '00000000000000000000.log')
    const store = storage.store()
    await store.start()
    await appendAll(
      await store.open(metadata, testLogOptions),
      [0n, 1n, 2n].map((baseOffset) => storedBatch({ baseOffset })),
    )
    await store.close()
    const sound = await readFile(path)
    const open = async () => {
      const next = storage.store()
      await next.start()
      return await next.open(metadata, testLogOptions).finally(() => next.close())
    }
    for (const [at, value] of [
      [81 + 70, 0xff], // in the second batch's records
      [81 + 8, 0x7f], // its length: absurdly large
    ] as const) {
      const damagedBytes = Buffer.from(sound)
      damagedBytes[at] = value
      await writeFile(path, damagedBytes)
      await expect(open()).rejects.toThrow(/damaged at byte 81/)
      expect((await readFile(path)).equals(damagedBytes)).toBe(true)
    }
    await writeFile(path, sound.subarray(0, 200))
    expect((await open()).range().end).toBe(2n)
  })

  it('goes on with the directories that work, and makes no partition that may be in another', async () => {
    const broken = join(storage.path, 'broken')
    await writeFile(broken, 'a file, not a directory')
    const store = storage.store({ directories: [data, broken] })
    await mkdir(join(data, 'one-0'), { recursive: true })
    await store.start()
    expect((await store.directories()).map(({ path, online }) => [path, online])).toEqual([
      [data, true],
      [broken, false],
    ])
    expect((await store.open(one, testLogOptions)).directory).toBe(data)
    await expect(store.open(two, testLogOptions)).rejects.toThrow(/offline/)
    await store.close()
  })
})
