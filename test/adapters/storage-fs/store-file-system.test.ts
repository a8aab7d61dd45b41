import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFileSystem } from '../../../src/adapters/storage-fs/file-system.ts'
import { storeFileSystem } from '../../../src/adapters/storage-fs/store-file-system.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'odradek-starting-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe.each([
  ['at first', 0],
  ['when its first operations are used up', 100],
])('the file system of a store, %s', (_, before) => {
  async function fileSystem() {
    const fs = storeFileSystem()
    for (let i = 0; i < before; i++) await fs.sizeOf(folder)
    return fs
  }

  it('does what the machine’s does', async () => {
    const fs = await fileSystem()
    const inner = join(folder, 'a', 'b')
    await fs.makeDirectory(inner)
    await fs.makeDirectory(inner)
    const fd = await fs.open(join(inner, 'new'), 'w+')
    expect(await fs.writev(fd, [Buffer.from('ab'), Buffer.from('cde')], 1)).toBe(5)
    await fs.sync(fd)
    const bytes = Buffer.alloc(4)
    expect(await fs.read(fd, bytes, 1, 3, 2)).toBe(3)
    expect(bytes.toString('latin1')).toBe('\0bcd')
    await fs.close(fd)
    await fs.rename(join(inner, 'new'), join(inner, 'old'))
    await fs.syncDirectory(inner)
    expect(await fs.sizeOf(join(inner, 'old'))).toBe(6)
    expect(Buffer.from((await fs.readFile(join(inner, 'old')))!).toString('latin1')).toBe('\0abcde')
    expect(await fs.list(inner)).toEqual(await nodeFileSystem.list(inner))
    expect(await fs.list(join(folder, 'a'))).toEqual([{ name: 'b', directory: true }])
  })

  it('writes at once what is small', async () => {
    const fs = await fileSystem()
    const fd = await fs.open(join(folder, 'new'), 'w+')
    expect(fs.writevNow!(fd, [Buffer.from('ab'), Buffer.from('c')], 0)).toBe(3)
    expect(fs.writevNow!(fd, [Buffer.alloc(100_000)], 3)).toBeNull()
    await fs.close(fd)
    expect(fs.writevNow!(fd, [Buffer.from('x')], 0)).toBeNull()
    expect(Buffer.from((await fs.readFile(join(folder, 'new')))!).toString('latin1')).toBe('abc')
  })

  it('rejects, and never throws', async () => {
    const fs = await fileSystem()
    const missing = join(folder, 'missing')
    expect(await fs.readFile(missing)).toBeNull()
    const refused = [
      () => fs.open(missing, 'r'),
      () => fs.sizeOf(missing),
      () => fs.list(missing),
      () => fs.rename(missing, folder),
    ]
    for (const operation of refused) await expect(operation()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
