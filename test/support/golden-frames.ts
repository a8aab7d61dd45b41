/** Access to test/fixtures/wire: what real clients said and what a real broker (4.3.1) answered. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Api } from '../../src/adapters/wire/api.ts'
import { apis } from '../../src/adapters/wire/apis/index.ts'

const folder = fileURLToPath(new URL('../fixtures/wire/', import.meta.url))

/** Frames without their size. */
export interface GoldenFrame {
  readonly api: Api
  readonly version: number
  readonly request: Buffer
  /** null: Produce with acks=0. */
  readonly response: Buffer | null
}

interface Line {
  readonly api: number
  readonly apiName: string
  readonly version: number
  readonly requestHex: string
  readonly responseHex: string | null
}

export function goldenFiles(): readonly string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.jsonl') && !name.startsWith('behaviour'))
}

export function goldenFrames(file: string): readonly GoldenFrame[] {
  return readFileSync(folder + file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => toFrame(JSON.parse(line) as Line))
}

function toFrame(line: Line): GoldenFrame {
  const api = apis.find(({ key }) => key === line.api)
  if (api === undefined) throw new Error(`no schema for ${line.apiName}`)
  return {
    api,
    version: line.version,
    request: Buffer.from(line.requestHex, 'hex'),
    response: line.responseHex === null ? null : Buffer.from(line.responseHex, 'hex'),
  }
}
