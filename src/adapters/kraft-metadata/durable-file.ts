/** Small files that are replaced as a whole: written beside, synced, renamed over, and the folder synced. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface DurableFileOptions {
  /** Where the bytes are collected until they are complete. */
  readonly temporary: string
  readonly mode?: number
}

/** `file` has either its old content or all of `chunks`, whenever the process or the machine stops. */
export async function replaceFile(
  file: string,
  chunks: readonly (Uint8Array | string)[],
  { temporary, mode }: DurableFileOptions,
): Promise<void> {
  const handle = await open(temporary, 'w')
  try {
    for (const chunk of chunks) await handle.writeFile(chunk)
    if (mode !== undefined) await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
  await syncFolder(dirname(file))
}

/** Makes renames and removals in a folder last. Windows cannot open folders and needs no sync of them. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A file of which a start writes several. */
export interface SmallFile {
  readonly file: string
  readonly chunks: readonly (Uint8Array | string)[]
}

/**
 * As `replaceFile`, for several files: each folder is synced once, and all of them are on the disk on return, though in
 * no order. It blocks: for the start, when nobody is served and the way to another thread and back takes longer than
 * the work there.
 */
export function replaceFilesNow(files: readonly SmallFile[]): void {
  for (const { file, chunks } of files) {
    withDescriptor(`${file}.tmp`, 'w', (fd) => {
      for (const chunk of chunks) writeFileSync(fd, chunk)
      fsyncSync(fd)
    })
  }
  for (const { file } of files) renameSync(`${file}.tmp`, file)
  if (process.platform === 'win32') return
  for (const folder of new Set(files.map(({ file }) => dirname(file)))) withDescriptor(folder, 'r', fsyncSync)
}

function withDescriptor(path: string, flags: string, work: (fd: number) => void): void {
  const fd = openSync(path, flags)
  try {
    work(fd)
  } finally {
    closeSync(fd)
  }
}

/** The bytes of a small file, or null when there is none. Blocks, for the reason of `replaceFilesNow`. */
export function readIfThere(file: string): Buffer | null {
  try {
    return readFileSync(file)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT'
}
