/**
 * The entry of `odradek dir …`: a bundle of its own (`dist/directory-tool.cjs`), which the launcher loads instead of the
 * server's when its first argument is `dir`.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { CodecCompressor } from '../adapters/compression/codec-compressor.ts'
import { runDirectoryTool } from '../adapters/directory-tool/directory-tool.ts'
import { Crc32cChecksum } from '../adapters/system/crc32c-checksum.ts'
import { settingsOfFile } from './config-sources.ts'

export async function main(args: readonly string[]): Promise<void> {
  const { stdout, stderr } = process
  // Without a reader nothing more is to be said.
  stderr.on('error', () => undefined)
  process.exitCode = await runDirectoryTool(args, {
    checksum: new Crc32cChecksum(),
    compressor: new CodecCompressor(),
    output: stdout,
    errors: { write: (text) => void stderr.write(text), isTerminal: stderr.isTTY },
    nowMs: () => performance.now(),
    logDirsOf,
  })
}

/** As a broker started in the same folder would take them. */
function logDirsOf(file: string): readonly string[] {
  const settings = settingsOfFile(file, readFileSync(file, 'utf8'))
  const value = (key: string): string | undefined => settings.get(key)?.value
  const dirs = value('log.dirs') ?? value('log.dir') ?? '/tmp/kafka-logs'
  const names = [...dirs.split(','), value('metadata.log.dir') ?? ''].map((name) => name.trim())
  return [...new Set(names.filter((name) => name !== '').map((name) => path.resolve(name)))]
}
