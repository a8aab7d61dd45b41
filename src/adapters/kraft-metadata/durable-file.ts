/** Small files that are replaced as a whole: written beside, synced, renamed over, and the folder synced. */
import { dirname } from 'node:path'
import type { MetadataFiles } from './metadata-files.ts'

export interface DurableFileOptions {
  /** Where the bytes are collected until they are complete. */
  readonly temporary: string
  readonly mode?: number
}

/** `file` has either its old content or all of `chunks`, whenever the process or the machine stops. */
export async function replaceFile(
  files: MetadataFiles,
  file: string,
  chunks: readonly (Uint8Array | string)[],
  { temporary, mode }: DurableFileOptions,
): Promise<void> {
  await files.write(temporary, chunks, mode)
  await files.rename(temporary, file)
  await files.syncFolder(dirname(file))
}

/** A file of which a start writes several. */
export interface SmallFile {
  readonly file: string
  readonly chunks: readonly (Uint8Array | string)[]
}

/**
 * As `replaceFile`, for several files: each folder is synced once, and all of them are on the disk on return, though in
 * no order. It blocks.
 */
export function replaceFilesNow(files: MetadataFiles, replaced: readonly SmallFile[]): void {
  for (const { file, chunks } of replaced) files.writeNow(`${file}.tmp`, chunks)
  for (const { file } of replaced) files.renameNow(`${file}.tmp`, file)
  for (const folder of new Set(replaced.map(({ file }) => dirname(file)))) files.syncFolderNow(folder)
}
