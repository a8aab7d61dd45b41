/** The directory tool in this process, and what proves that it changed nothing. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, lstatSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Writable } from 'node:stream'
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { runDirectoryTool } from '../../src/adapters/directory-tool/directory-tool.ts'
import { Crc32cChecksum } from '../../src/adapters/system/crc32c-checksum.ts'

export interface ToolRun {
  readonly code: number
  readonly lines: readonly string[]
  /** Standard error. */
  readonly errors: string
}

export interface ToolRunOptions {
  readonly isTerminal?: boolean
  readonly nowMs?: () => number
  readonly logDirsOf?: (file: string) => readonly string[]
}

export async function runTool(args: readonly string[], options: ToolRunOptions = {}): Promise<ToolRun> {
  let output = ''
  let errors = ''
  const code = await runDirectoryTool(args, {
    checksum: new Crc32cChecksum(),
    compressor: new CodecCompressor(),
    output: new Writable({
      write(chunk: Buffer, _encoding, done) {
        output += chunk.toString()
        done()
      },
    }),
    errors: { write: (text) => void (errors += text), isTerminal: options.isTerminal ?? false },
    nowMs: options.nowMs ?? (() => 0),
    logDirsOf: options.logDirsOf ?? (() => []),
  })
  return { code, lines: output.split('\n').slice(0, -1), errors }
}

/** The lines of a run with `--json`, parsed; fails where a line is none. */
export function parsed(run: ToolRun): readonly Record<string, unknown>[] {
  return run.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** Every entry of a tree with the hash of its bytes, its size, its mode and when it was changed. */
export function fingerprint(folder: string): string {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name)
    const { mtimeNs, ctimeNs, mode, size } = lstatSync(path, { bigint: true })
    const hash = entry.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'folder'
    return `${relative(folder, path)} ${mode} ${size} ${mtimeNs} ${ctimeNs} ${hash}`
  })
  return [...entries.sort(), String(lstatSync(folder, { bigint: true }).mtimeNs)].join('\n')
}
