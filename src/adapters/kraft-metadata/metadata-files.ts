/**
 * The few file operations behind meta.properties, quorum-state and the snapshots, so that tests can inject failures,
 * torn writes and full disks at each of them; the log itself goes through the log store.
 *
 * Those that end in `Now` block: they are for the start, when nobody is served and the way to another thread and back
 * takes longer than the work there. The others run beside commits.
 */
// `fs.promises` is loaded when it is first asked for, which a start need not
import fs from 'node:fs'

export interface MetadataFiles {
  /** The bytes of a small file, or null when there is none. */
  readNow(path: string): Buffer | null
  /** The names in a folder; none when there is no such folder. */
  listNow(path: string): readonly string[]
  isFolderNow(path: string): boolean
  /** Makes a folder and those above it; fine when it exists. */
  makeFolderNow(path: string): void
  /** Creates or empties the file, writes it and brings it to the disk. */
  writeNow(path: string, chunks: readonly (Uint8Array | string)[]): void
  renameNow(from: string, to: string): void
  /** Brings the names in a folder to the disk. */
  syncFolderNow(path: string): void

  read(path: string): Promise<Buffer>
  list(path: string): Promise<readonly string[]>
  /** As `writeNow`, with the file's mode if one is given. */
  write(path: string, chunks: readonly (Uint8Array | string)[], mode?: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  syncFolder(path: string): Promise<void>
  /** Fine when it is gone. */
  remove(path: string): Promise<void>
  statOf(path: string): Promise<{ readonly size: number; readonly mtimeMs: number }>
}

// Windows cannot open folders and needs no sync of them
const syncsFolders = process.platform !== 'win32'

/** The machine's own files. */
export const nodeMetadataFiles: MetadataFiles = {
  readNow: (path) => orIfMissing(() => fs.readFileSync(path), null),
  listNow: (path) => orIfMissing(() => fs.readdirSync(path), []),
  isFolderNow: (path) => orIfMissing(() => fs.statSync(path).isDirectory(), false),
  makeFolderNow: (path) => void fs.mkdirSync(path, { recursive: true }),
  writeNow(path, chunks) {
    withDescriptor(path, 'w', (fd) => {
      for (const chunk of chunks) fs.writeFileSync(fd, chunk)
      fs.fsyncSync(fd)
    })
  },
  renameNow: fs.renameSync,
  syncFolderNow(path) {
    if (syncsFolders) withDescriptor(path, 'r', fs.fsyncSync)
  },

  read: (path) => fs.promises.readFile(path),
  async list(path) {
    try {
      return await fs.promises.readdir(path)
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  },
  async write(path, chunks, mode) {
    const handle = await fs.promises.open(path, 'w')
    try {
      for (const chunk of chunks) await handle.writeFile(chunk)
      if (mode !== undefined) await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  rename: (from, to) => fs.promises.rename(from, to),
  async syncFolder(path) {
    if (!syncsFolders) return
    const handle = await fs.promises.open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  remove: (path) => fs.promises.rm(path, { force: true }),
  statOf: (path) => fs.promises.stat(path),
}

function withDescriptor(path: string, flags: string, work: (fd: number) => void): void {
  const fd = fs.openSync(path, flags)
  try {
    work(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function orIfMissing<T>(work: () => T, missing: T): T {
  try {
    return work()
  } catch (error) {
    if (isMissing(error)) return missing
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT'
}
