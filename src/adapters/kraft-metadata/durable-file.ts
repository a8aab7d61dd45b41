/** Small files that are replaced as a whole: written beside, synced, renamed over, and the folder synced. */
import { open, readFile, rename } from 'node:fs/promises'
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

/** The bytes of a file, or null when there is none. */
export async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT'
}
