/** A log directory that cannot be used goes offline alone, at the start and later. */
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileSystem } from '../../../src/adapters/storage-fs/file-system.ts'
import { nodeFileSystem } from '../../../src/adapters/storage-fs/file-system.ts'
import { storedBatch, testLogOptions } from '../../support/stored-batches.ts'
import { fileStorage, type FileStorage } from '../../support/file-storage.ts'

let storage: FileStorage
let a: string
let b: string

beforeEach(async () => {
  storage = await fileStorage()
  a = join(storage.path, 'a')
  b = join(storage.path, 'b')
})

afterEach(() => storage.dispose())

const partition = (number: number) => ({ topic: 't', partition: number })
const onlineOf = (directories: readonly { readonly path: string; readonly online: boolean }[]) =>
  Object.fromEntries(directories.map(({ path, online }) => [path === a ? 'a' : 'b', online]))

/** A disk of which every file under `path` fails from the moment on that `code` is set. */
function failing(path: string): { readonly system: FileSystem; code: string | null } {
  const fault: { system: FileSystem; code: string | null } = { system: nodeFileSystem, code: null }
  const fds = new Set<number>()
  const check = (touched: boolean): void => {
    if (touched && fault.code !== null) throw Object.assign(new Error('broken disk'), { code: fault.code })
  }
  fault.system = {
    ...nodeFileSystem,
    async open(file, flags) {
      check(file.startsWith(path))
      const fd = await nodeFileSystem.open(file, flags)
      if (file.startsWith(path)) fds.add(fd)
      else fds.delete(fd)
      return fd
    },
    async writev(fd, chunks, position) {
      check(fds.has(fd))
      return nodeFileSystem.writev(fd, chunks, position)
    },
  }
  return fault
}

it('at the start, when it cannot be read: the other serves, and what may lie in it is not created anew', async () => {
  await writeFile(b, 'no directory')
  const store = storage.store({ directories: [a, b] })
  await store.start()
  expect(onlineOf(await store.directories())).toEqual({ a: true, b: false })
  expect(storage.events).toContainEqual(expect.objectContaining({ level: 'error', event: 'log directory offline' }))
  await expect(store.open(partition(0), testLogOptions)).rejects.toThrow(/may be in .*b, which is offline/)
  await expect(store.open(partition(0), testLogOptions, b)).rejects.toThrow(/which is offline/)
  expect((await store.open(partition(1), testLogOptions, null)).directory).toBe(a)
  await store.close()
})

it.each(['EROFS', 'ENODEV', 'ESTALE'])(
  'later, when its disk answers %s: all its logs, and nothing else',
  async (code) => {
    const disk = failing(b)
    const lost: (readonly string[])[] = []
    const store = storage.store({ directories: [a, b], fileSystem: disk.system, onLost: (paths) => lost.push(paths) })
    await store.start()
    const [here, there, too] = await Promise.all([
      store.open(partition(0), testLogOptions, a),
      store.open(partition(1), testLogOptions, b),
      store.open(partition(2), testLogOptions, b),
    ])
    disk.code = code
    await expect(there.append(0n, [storedBatch({ baseOffset: 0n })])).rejects.toThrow()
    await expect(too.append(0n, [storedBatch({ baseOffset: 0n })])).rejects.toThrow(/offline/)
    expect(await here.append(0n, [storedBatch({ baseOffset: 0n })])).toBe('appended')
    expect(onlineOf(await store.directories())).toEqual({ a: true, b: false })
    expect(lost).toEqual([])
    await store.close()
  },
)

it.each(['ENOSPC', 'EIO'])('one file that answers %s takes its own log only', async (code) => {
  const disk = failing(b)
  const store = storage.store({ directories: [a, b], fileSystem: disk.system })
  await store.start()
  const [one, other] = await Promise.all([
    store.open(partition(0), testLogOptions, b),
    store.open(partition(1), testLogOptions, b),
  ])
  disk.code = code
  await expect(one.append(0n, [storedBatch({ baseOffset: 0n })])).rejects.toThrow()
  disk.code = null
  expect(await other.append(0n, [storedBatch({ baseOffset: 0n })])).toBe('appended')
  expect(onlineOf(await store.directories())).toEqual({ a: true, b: true })
  await store.close()
})

it('later, when its checkpoints cannot be written; tells when no directory is left', async () => {
  const disk = failing(storage.path)
  const lost: (readonly string[])[] = []
  const store = storage.store({ directories: [a, b], fileSystem: disk.system, onLost: (paths) => lost.push(paths) })
  await store.start()
  const log = await store.open(partition(0), testLogOptions, b)
  disk.code = 'EACCES'
  storage.timers.fire(60_000)
  await expect(log.append(0n, [storedBatch({ baseOffset: 0n })])).rejects.toThrow()
  await store.close()
  expect(lost.at(-1)).toEqual([a, b])
})
