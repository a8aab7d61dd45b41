/** Reading and writing whole files and whole ranges on top of the few operations of `FileSystem`. */
import type { FileSystem } from './file-system.ts'

/** Writes all of the chunks, however many calls it takes. */
export async function writeFully(
  fs: FileSystem,
  fd: number,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let bytes = 0
  for (const chunk of chunks) bytes += chunk.byteLength
  let written = await fs.writev(fd, chunks, position)
  while (written < bytes) {
    const more = await fs.writev(fd, chunksFrom(chunks, written), position + written)
    if (more === 0) throw new Error(`only ${written} of ${bytes} bytes could be written`)
    written += more
  }
}

function chunksFrom(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const rest: Uint8Array[] = []
  let skip = bytes
  for (const chunk of chunks) {
    if (skip < chunk.byteLength) rest.push(chunk.subarray(skip))
    skip = Math.max(0, skip - chunk.byteLength)
  }
  return rest
}

/** Opens a file for the time of `work`. */
export async function withFile<T>(
  fs: FileSystem,
  path: string,
  flags: string,
  work: (fd: number) => Promise<T>,
): Promise<T> {
  const fd = await fs.open(path, flags)
  try {
    return await work(fd)
  } finally {
    await fs.close(fd)
  }
}

/** Replaces a file so that a crash leaves the old or the new content: `<name>.tmp`, fsync, rename. */
export async function replaceFile(fs: FileSystem, directory: string, name: string, content: string): Promise<void> {
  const path = `${directory}/${name}`
  const bytes = new TextEncoder().encode(content)
  await withFile(fs, `${path}.tmp`, 'w', async (fd) => {
    await writeFully(fs, fd, [bytes], 0)
    await fs.sync(fd)
  })
  await fs.rename(`${path}.tmp`, path)
  await fs.syncDirectory(directory)
}

/** A small file as text; null when there is none. */
export async function readText(fs: FileSystem, path: string): Promise<string | null> {
  const bytes = await fs.readFile(path)
  return bytes === null ? null : new TextDecoder().decode(bytes)
}
