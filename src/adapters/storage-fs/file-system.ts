/**
 * The few file operations that the storage needs, behind one small interface, so that tests can inject failures, torn
 * writes and full disks. Nothing here interprets what it reads or writes. Files are named by descriptors, because a
 * `FileHandle` costs an object and a promise more per call.
 */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { takeLock } from './file-lock.ts'

export interface DirectoryEntry {
  readonly name: string
  readonly directory: boolean
}

export interface FileSystem {
  /** Flags as in `fs.open`: 'r', 'r+', 'w', 'wx'. */
  open(path: string, flags: string): Promise<number>
  close(fd: number): Promise<void>
  /** Reads up to `length` bytes into `buffer` at `at`; answers how many, less only at the end of the file. */
  read(fd: number, buffer: Uint8Array, at: number, length: number, position: number): Promise<number>
  /** Writes the chunks one behind the other; answers how many bytes went out, which may be less than asked. */
  writev(fd: number, chunks: readonly Uint8Array[], position: number): Promise<number>
  /**
   * As `writev`, in this turn. null = not now, or it failed: whoever asks then writes all of it with `writev`, which
   * says what is wrong. Absent where nothing is to be had by it.
   */
  writevNow?(fd: number, chunks: readonly Uint8Array[], position: number): number | null
  truncate(fd: number, bytes: number): Promise<void>
  /** Brings the file's data and size to the disk. */
  sync(fd: number): Promise<void>
  /** Brings the names in a directory to the disk. */
  syncDirectory(path: string): Promise<void>
  sizeOf(path: string): Promise<number>
  /** When the file was last written, in milliseconds since 1970. */
  modifiedMs(path: string): Promise<bigint>
  list(path: string): Promise<readonly DirectoryEntry[]>
  /** The whole of a small file; null when there is none. */
  readFile(path: string): Promise<Uint8Array | null>
  /** Creates the directory and those above it; fine when it exists. */
  makeDirectory(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes a file, or a directory with all that is in it; fine when it is gone. */
  remove(path: string): Promise<void>
  space(path: string): Promise<{ readonly totalBytes: bigint; readonly usableBytes: bigint }>
  /**
   * Takes a lock file for this process (and against other stores in it), creating it; null = somebody else has it.
   * The answer gives it back and removes the file.
   */
  lock(path: string): Promise<(() => Promise<void>) | null>
}

/** Whether a failed operation found no such file. */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}

/**
 * What a disk that is gone or was made read-only answers: nothing in the directory works any more. EIO is not among
 * them, because it may be one bad sector in one file.
 */
const DISK_ERRORS: ReadonlySet<string | undefined> = new Set(['EROFS', 'ENODEV', 'ENXIO', 'ESTALE', 'ENOTCONN'])

/** What is short, and may be there again soon: space, a quota, descriptors. */
const SHORTAGES: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'])

export function isShortage(error: unknown): boolean {
  return SHORTAGES.has((error as NodeJS.ErrnoException | undefined)?.code)
}

/** Whether a failed operation says that the whole directory cannot be used, and not only this file. */
export function concernsDirectory(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return DISK_ERRORS.has((error as NodeJS.ErrnoException).code) || concernsDirectory(error.cause)
}

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void

function call<T>(run: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    run((error, value) => {
      if (error === null) resolve(value)
      else reject(error)
    })
  })
}

/**
 * Makes a directory and those above it that are missing. Node's own recursive mkdir never returns where a file system
 * refuses a folder with ENOENT although the one above is there, as /proc does.
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOne(path)
  } catch (error) {
    const above = dirname(path)
    if (!isMissing(error) || above === path) throw error
    await makeDirectory(above)
    await makeOne(path)
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await fs.promises.mkdir(path)
  } catch (error) {
    const stats = await fs.promises.stat(path).catch(() => null)
    if (stats?.isDirectory() !== true) throw error
  }
}

/** The machine's own file system. */
export const nodeFileSystem: FileSystem = {
  open: (path, flags) => call((done) => fs.open(path, flags, 0o644, done)),
  close: (fd) => call((done) => fs.close(fd, (error) => done(error ?? null, undefined))),
  read: (fd, buffer, at, length, position) => call((done) => fs.read(fd, buffer, at, length, position, done)),
  writev: (fd, chunks, position) => call((done) => fs.writev(fd, chunks as Uint8Array[], position, done)),
  truncate: (fd, bytes) => call((done) => fs.ftruncate(fd, bytes, (error) => done(error, undefined))),
  sync: (fd) => call((done) => fs.fdatasync(fd, (error) => done(error, undefined))),
  async syncDirectory(path) {
    // Windows has no descriptors of directories, and needs none
    if (process.platform === 'win32') return
    const handle = await fs.promises.open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  sizeOf: async (path) => (await fs.promises.stat(path)).size,
  modifiedMs: async (path) => BigInt(Math.floor((await fs.promises.stat(path)).mtimeMs)),
  async list(path) {
    const entries = await fs.promises.readdir(path, { withFileTypes: true })
    return entries.map((entry) => ({ name: entry.name, directory: entry.isDirectory() }))
  },
  async readFile(path) {
    try {
      // with callbacks: thousands of small files are read at a start, and a FileHandle each costs more than they do
      return await call<Uint8Array>((done) => fs.readFile(path, done))
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  },
  makeDirectory,
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (path) => fs.promises.rm(path, { recursive: true, force: true }),
  async space(path) {
    // with a callback: a start asks, and `fs.promises` is loaded at its first use, which costs it two milliseconds
    const { blocks, bavail, bsize } = await call<fs.BigIntStatsFs>((done) => fs.statfs(path, { bigint: true }, done))
    return { totalBytes: blocks * bsize, usableBytes: bavail * bsize }
  },
  lock: takeLock,
}
