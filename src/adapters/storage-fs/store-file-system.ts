/**
 * The machine's file system as a store uses it. The first operations block, because a way to the thread pool and back
 * takes several times as long as the work on a small file, and nobody is served yet. They are few, so that a start with
 * much to read leaves the process free for signals; those behind them run on the thread pool. Small writes may block
 * whenever (small-writes.ts).
 */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { isMissing, nodeFileSystem, type FileSystem } from './file-system.ts'
import { SmallWrites } from './small-writes.ts'

/** More than an empty directory takes until the broker serves. */
const BLOCKING_OPERATIONS = 64

/** What is larger than this is for the thread pool, whenever. */
const BLOCKING_BYTES = 65_536

/** A file system of its own for each store. */
export function storeFileSystem(): FileSystem {
  let left = BLOCKING_OPERATIONS
  const blocks = (): boolean => left > 0 && left-- > 0
  const node = nodeFileSystem
  const smallWrites = new SmallWrites(() => performance.now())
  return {
    ...node,
    open: (path, flags) => (blocks() ? now(() => fs.openSync(path, flags, 0o644)) : node.open(path, flags)),
    close: (fd) => (blocks() ? now(() => fs.closeSync(fd)) : node.close(fd)),
    read: (fd, buffer, at, length, position) =>
      length <= BLOCKING_BYTES && blocks()
        ? now(() => fs.readSync(fd, buffer, at, length, position))
        : node.read(fd, buffer, at, length, position),
    writev: (fd, chunks, position) =>
      blocks() ? now(() => fs.writevSync(fd, chunks, position)) : node.writev(fd, chunks, position),
    writevNow(fd, chunks, position) {
      try {
        return smallWrites.run(chunks, () => fs.writevSync(fd, chunks, position))
      } catch {
        // the same write on the thread pool fails too, and is told of
        return null
      }
    },
    sync: (fd) => (blocks() ? now(() => fs.fdatasyncSync(fd)) : node.sync(fd)),
    syncDirectory: (path) => (blocks() ? now(() => syncDirectory(path)) : node.syncDirectory(path)),
    sizeOf: (path) => (blocks() ? now(() => fs.statSync(path).size) : node.sizeOf(path)),
    list: (path) => (blocks() ? now(() => list(path)) : node.list(path)),
    readFile: (path) => (blocks() ? now(() => readFile(path)) : node.readFile(path)),
    makeDirectory: (path) => (blocks() && makesDirectory(path) ? Promise.resolve() : node.makeDirectory(path)),
    rename: (from, to) => (blocks() ? now(() => fs.renameSync(from, to)) : node.rename(from, to)),
  }
}

/** The outcome of blocking work, as the promise that callers expect. */
function now<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work())
  })
}

function syncDirectory(path: string): void {
  // Windows has no descriptors of directories, and needs none
  if (process.platform === 'win32') return
  const fd = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function list(path: string): { readonly name: string; readonly directory: boolean }[] {
  const entries = fs.readdirSync(path, { withFileTypes: true })
  return entries.map((entry) => ({ name: entry.name, directory: entry.isDirectory() }))
}

function readFile(path: string): Uint8Array | null {
  try {
    return fs.readFileSync(path)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** Whether the directory was made, or its own and the one above; whatever stands in the way is left to the longer way. */
function makesDirectory(path: string): boolean {
  try {
    if (!fs.existsSync(dirname(path))) fs.mkdirSync(dirname(path))
    fs.mkdirSync(path)
    return true
  } catch {
    return false
  }
}
