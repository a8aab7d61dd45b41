/** A process that dies at any step of replacing segments leaves the old records or the new ones, and all others. */
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileSystem } from '../../../src/adapters/storage-fs/file-system.ts'
import { nodeFileSystem } from '../../../src/adapters/storage-fs/file-system.ts'
import type { PartitionLog, StampedBatch } from '../../../src/application/ports/log-store.ts'
import type { FileStorage } from '../../support/file-storage.ts'
import { fileStorage, MortalFileSystem } from '../../support/file-storage.ts'
import { appendAll, baseOffsets, storedBatch, takeBytes, testLogOptions } from '../../support/stored-batches.ts'

const partition = { topic: 'swap', partition: 0 }
/** Four batches of one record to a segment: 0, 4, 8, 12. */
const options = { ...testLogOptions, segmentBytes: 400, indexIntervalBytes: 100 }
const aborted = { producerId: 3n, firstOffset: 4n, lastOffset: 7n, lastStableOffset: 8n }
const batch = (offset: number): StampedBatch => ({
  ...storedBatch({ baseOffset: BigInt(offset) }),
  ...(offset === 7 ? { aborted } : {}),
})
const all = Array.from({ length: 14 }, (_, i) => BigInt(i))
const kept = [1n, 6n, 7n, 11n]
const compacted = [...kept, 12n, 13n]

async function offsets(log: PartitionLog): Promise<bigint[]> {
  return baseOffsets(takeBytes(await log.read(0n, { bytesMax: 1 << 20, atLeastOne: true, before: 99n })))
}

async function* rewritten() {
  for (const offset of kept) yield await Promise.resolve([batch(Number(offset))])
}

let storage: FileStorage
beforeEach(async () => {
  storage = await fileStorage()
})
afterEach(() => storage.dispose())

/** A file system that runs `die` in the place of change number `at`, counted from `begin` on. */
function dyingAt(under: FileSystem, at: number, die: () => Promise<never>): { system: FileSystem; begin: () => void } {
  let left = Infinity
  const counted =
    <A extends unknown[], T>(operation: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> =>
      left-- === 0 ? die() : operation(...args)
  const system: FileSystem = {
    ...under,
    writev: counted((...args) => under.writev(...args)),
    truncate: counted((...args) => under.truncate(...args)),
    rename: counted((...args) => under.rename(...args)),
    remove: counted((...args) => under.remove(...args)),
    syncDirectory: counted((...args) => under.syncDirectory(...args)),
  }
  return { system, begin: () => void (left = at) }
}

it('survives a crash at each of its steps', async () => {
  const seen = new Set<string>()
  const origin = storage.store()
  await origin.start()
  await appendAll(
    await origin.open(partition, options),
    all.map((offset) => batch(Number(offset))),
  )
  await origin.close()
  const data = join(storage.path, 'data')
  for (let step = 0; ; step++) {
    const copy = join(storage.path, `copy-${step}`)
    await cp(data, copy, { recursive: true })
    const mortal = new MortalFileSystem()
    let killed: (killing: Promise<void>) => void = () => undefined
    const dead = new Promise<void>((resolve) => (killed = resolve))
    const disk = dyingAt(mortal.system, step, () => {
      killed(mortal.kill())
      return new Promise<never>(() => undefined)
    })
    const store = storage.store({ directories: [copy], fileSystem: disk.system })
    await store.start()
    const log = await store.open(partition, options)
    disk.begin()
    const replacing = log.replaceSegments(0n, 12n, rewritten())
    const outcome = await Promise.race([replacing, dead.then(() => 'dead' as const)])
    if (outcome !== 'dead') await mortal.kill()
    const again = storage.store({ directories: [copy] })
    await again.start()
    const opened = await again.open(partition, options)
    const found = await offsets(opened)
    expect([step, outcome, found]).toEqual([step, outcome, found.length === all.length ? all : compacted])
    expect(opened.range()).toEqual({ start: 0n, end: 14n })
    expect(await opened.abortedTransactions(0n, 99n)).toEqual([aborted])
    await appendAll(opened, [batch(14)])
    await again.close()
    const left = await readdir(join(copy, 'swap-0'))
    expect(left.filter((name) => /\.(cleaned|swap|deleted)$/.test(name))).toEqual([])
    seen.add(found.length === all.length ? 'old' : 'new')
    if (outcome !== 'dead') break
  }
  expect([...seen]).toEqual(['old', 'new'])
})

it('changes nothing when the disk is full, and the log stays usable', async () => {
  let full = false
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    writev: (...args) => (full ? Promise.reject(new Error('ENOSPC')) : nodeFileSystem.writev(...args)),
  }
  const store = storage.store({ fileSystem })
  await store.start()
  const log = await store.open(partition, options)
  await appendAll(
    log,
    all.map((offset) => batch(Number(offset))),
  )
  await log.flush()
  full = true
  await expect(log.replaceSegments(0n, 12n, rewritten())).rejects.toThrow('ENOSPC')
  full = false
  expect(await offsets(log)).toEqual(all)
  expect((await readdir(join(storage.path, 'data', 'swap-0'))).filter((name) => name.endsWith('.cleaned'))).toEqual([])
  expect(await log.replaceSegments(0n, 12n, rewritten())).toBe('replaced')
  expect(await offsets(log)).toEqual(compacted)
  await store.close()
})
