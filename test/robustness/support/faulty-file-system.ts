/** The machine's file system, with operations that fail, or do only a part, where a test says so. */
import { nodeFileSystem, type FileSystem } from '../../../src/adapters/storage-fs/file-system.ts'

/** What one operation is about to do. `path` is that of the file that the descriptor was opened for. */
export interface Operation {
  readonly name: keyof FileSystem
  readonly path: string
  /** Of a write: how many. */
  readonly bytes: number
}

/** `fail` = with this code; `short` = only so many bytes are written, and the caller is told so, or gets the error. */
export type Fault = { readonly fail: string } | { readonly short: number; readonly then?: string }

export function ioError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected`), { code })
}

export class FaultyFileSystem {
  /** Asked before each operation; null = nothing is wrong. */
  fault: (operation: Operation) => Fault | null = () => null
  readonly #paths = new Map<number, string>()
  readonly system: FileSystem

  constructor(under: FileSystem = nodeFileSystem) {
    const paths = this.#paths
    const of = (fd: number): string => paths.get(fd) ?? ''
    const check = (name: keyof FileSystem, path: string, bytes = 0): Fault | null => {
      const fault = this.fault({ name, path, bytes })
      if (fault !== null && 'fail' in fault) throw ioError(fault.fail)
      return fault
    }
    this.system = {
      async open(path, flags) {
        check('open', path)
        const fd = await under.open(path, flags)
        paths.set(fd, path)
        return fd
      },
      close: (fd) => {
        paths.delete(fd)
        return under.close(fd)
      },
      async read(fd, buffer, at, length, position) {
        check('read', of(fd))
        return await under.read(fd, buffer, at, length, position)
      },
      async writev(fd, chunks, position) {
        const all = Buffer.concat(chunks)
        const fault = check('writev', of(fd), all.length)
        if (fault === null || !('short' in fault)) return await under.writev(fd, chunks, position)
        const written = await under.writev(fd, [all.subarray(0, fault.short)], position)
        if (fault.then !== undefined) throw ioError(fault.then)
        return written
      },
      async truncate(fd, bytes) {
        check('truncate', of(fd))
        await under.truncate(fd, bytes)
      },
      async sync(fd) {
        check('sync', of(fd))
        await under.sync(fd)
      },
      async syncDirectory(path) {
        check('syncDirectory', path)
        await under.syncDirectory(path)
      },
      async modifiedMs(path) {
        check('modifiedMs', path)
        return await under.modifiedMs(path)
      },
      async sizeOf(path) {
        check('sizeOf', path)
        return await under.sizeOf(path)
      },
      async list(path) {
        check('list', path)
        return await under.list(path)
      },
      async readFile(path) {
        check('readFile', path)
        return await under.readFile(path)
      },
      async makeDirectory(path) {
        check('makeDirectory', path)
        await under.makeDirectory(path)
      },
      async rename(from, to) {
        check('rename', from)
        await under.rename(from, to)
      },
      async remove(path) {
        check('remove', path)
        await under.remove(path)
      },
      async space(path) {
        check('space', path)
        return await under.space(path)
      },
      lock: (path) => under.lock(path),
    }
  }
}
