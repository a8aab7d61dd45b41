/**
 * The file operations of the directory tool: those that read. Everything that it opens is opened here, for reading
 * only, so that no path of the tool can write.
 */
import type { DirectoryEntry } from '../storage-fs/file-system.ts'
import { nodeFileSystem } from '../storage-fs/file-system.ts'

export interface ReadOnlyFiles {
  open(path: string): Promise<number>
  close(fd: number): Promise<void>
  /** Reads up to `length` bytes into `buffer` at `at`; answers how many, less only at the end of the file. */
  read(fd: number, buffer: Uint8Array, at: number, length: number, position: number): Promise<number>
  sizeOf(path: string): Promise<number>
  list(path: string): Promise<readonly DirectoryEntry[]>
  /** The whole of a small file; null when there is none. */
  readFile(path: string): Promise<Uint8Array | null>
}

/** The machine's own files. */
export const readOnlyFiles: ReadOnlyFiles = {
  open: (path) => nodeFileSystem.open(path, 'r'),
  close: (fd) => nodeFileSystem.close(fd),
  read: (fd, buffer, at, length, position) => nodeFileSystem.read(fd, buffer, at, length, position),
  sizeOf: (path) => nodeFileSystem.sizeOf(path),
  list: (path) => nodeFileSystem.list(path),
  readFile: (path) => nodeFileSystem.readFile(path),
}

/** Opens a file for the time of `work`. */
export async function withReadOnly<T>(
  files: ReadOnlyFiles,
  path: string,
  work: (fd: number) => Promise<T>,
): Promise<T> {
  const fd = await files.open(path)
  try {
    return await work(fd)
  } finally {
    await files.close(fd)
  }
}

export async function readText(files: ReadOnlyFiles, path: string): Promise<string | null> {
  const bytes = await files.readFile(path)
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

/** Reads until `length` bytes are there or the file ends; answers how many. */
export async function readFully(
  files: ReadOnlyFiles,
  fd: number,
  buffer: Uint8Array,
  at: number,
  length: number,
  position: number,
): Promise<number> {
  let got = 0
  while (got < length) {
    const more = await files.read(fd, buffer, at + got, length - got, position + got)
    if (more === 0) break
    got += more
  }
  return got
}
