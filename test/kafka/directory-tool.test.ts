/** What our directory tool reads, held against Kafka's own DumpLogSegments, on Kafka's directories and on ours. */
import { cpSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { parsed, runTool } from '../support/directory-tool.ts'
import { PassedDirectory } from '../support/passed-directory.ts'
import { describeWithKafka, dumpLogSegments } from '../support/real-kafka.ts'
import { temporaryFolder } from '../support/server-process.ts'

const golden = join(import.meta.dirname, '..', 'fixtures', 'golden')
const closed = ['basic-clean', 'groups-txns', 'compacted', 'scram-acls-quotas']

interface Row {
  readonly offset: number
  readonly timestamp: number
  readonly sizes: string
  readonly sequence: number
  readonly headers: string
  readonly control: string | null
}

function partitionsOf(data: string): readonly string[] {
  const folders = readdirSync(data, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders.map(({ name }) => name).filter((name) => name !== '__cluster_metadata-0' && !name.endsWith('-delete'))
}

function logsOf(data: string, partition: string): readonly string[] {
  const names = readdirSync(join(data, partition)).filter((name) => name.endsWith('.log'))
  return names.sort().map((name) => join(data, partition, name))
}

/** Kafka's rows by partition. */
async function kafkaRows(data: string): Promise<ReadonlyMap<string, readonly Row[]>> {
  const files = partitionsOf(data).flatMap((partition) => logsOf(data, partition))
  const text = await dumpLogSegments('--deep-iteration', '--files', files.join(','))
  const rows = new Map<string, Row[]>(partitionsOf(data).map((partition) => [partition, []]))
  let current: Row[] = []
  for (const line of text.split('\n')) {
    const file = /^Dumping (.*)$/.exec(line)?.[1]
    if (file !== undefined) current = rows.get(file.split('/').at(-2)!)!
    const match =
      /^\| offset: (\d+) \w+: (-?\d+) keySize: (-?\d+) valueSize: (-?\d+)(?: sequence: (-?\d+))? headerKeys: \[(.*?)\](?: endTxnMarker: (\w+))?/.exec(
        line,
      )
    if (match === null) continue
    const [, offset, timestamp, key, value, sequence, headers, control] = match
    current.push({
      offset: Number(offset),
      timestamp: Number(timestamp),
      sizes: control === undefined ? `${key!} ${value!}` : '-',
      sequence: Number(sequence ?? -1),
      headers: headers!,
      control: control ?? null,
    })
  }
  return rows
}

function sizeOf(field: unknown): number {
  if (field === null || field === undefined) return -1
  return typeof field === 'string'
    ? Buffer.byteLength(field)
    : Buffer.from((field as { base64: string }).base64, 'base64').length
}

async function ourRows(data: string, partition: string): Promise<readonly Row[]> {
  const run = await runTool([data, '--json', '--dump', partition])
  expect(run.errors).toBe('')
  return parsed(run).map((record) => ({
    offset: record['offset'] as number,
    timestamp: record['timestamp'] as number,
    sizes: 'control' in record ? '-' : `${sizeOf(record['key'])} ${sizeOf(record['value'])}`,
    sequence: (record['sequence'] as number | undefined) ?? -1,
    headers: ((record['headers'] ?? []) as { key: string }[]).map(({ key }) => key).join(','),
    control: (record['control'] as string | undefined) ?? null,
  }))
}

async function same(data: string): Promise<number> {
  let compared = 0
  for (const [partition, expected] of await kafkaRows(data)) {
    const rows = await ourRows(data, partition)
    // records of internal topics are shown decoded, without their sizes
    const internal = partition.startsWith('__')
    const plain = (row: Row): unknown => (internal ? { ...row, sizes: '', headers: '', sequence: 0 } : row)
    expect({ partition, rows: rows.map(plain) }).toEqual({ partition, rows: expected.map(plain) })
    compared += rows.length
  }
  return compared
}

describeWithKafka('the directory tool and DumpLogSegments', () => {
  let folder: ReturnType<typeof temporaryFolder>
  beforeAll(() => {
    folder = temporaryFolder()
  })
  afterAll(() => folder.remove())

  it.each(closed)(
    'read the same records in %s',
    async (name) => {
      const data = join(folder.path, name)
      cpSync(join(golden, name, 'data'), data, { recursive: true })
      expect(await same(data)).toBeGreaterThan(0)
    },
    120_000,
  )

  it('find the same batches that do not hold, and the same missing indexes, after a crash', async () => {
    const data = join(folder.path, 'crashed')
    cpSync(join(golden, 'crashed', 'data'), data, { recursive: true })
    // at zeros and garbage behind the last batch Kafka's tool ends with an exception
    const readable = partitionsOf(data).filter((partition) => !/zeros|garbage/.test(partition))
    const files = readable.flatMap((partition) => logsOf(data, partition))
    const text = await dumpLogSegments('--files', files.join(','))
    const theirs: string[] = []
    let partition = ''
    for (const line of text.split('\n')) {
      partition = /^Dumping .*\/([^/]+)\/[^/]+$/.exec(line)?.[1] ?? partition
      const position = /position: (\d+).*isvalid: false/.exec(line)?.[1] ?? /Found (\d+) invalid bytes/.exec(line)?.[1]
      if (position !== undefined) theirs.push(`${partition} ${line.includes('isvalid') ? 'CRC' : 'bytes'} ${position}`)
    }
    const { lines } = await runTool([data, '--check'])
    const ours = lines.flatMap((line) => {
      const match = /\/([^/]+)\/\d+\.log was not closed.* the last (\d+) bytes at byte (\d+), offset \d+: (.*)$/.exec(
        line,
      )
      if (match === null || !readable.includes(match[1]!)) return []
      const [, name, bytes, position, reason] = match
      return [reason!.startsWith('its CRC') ? `${name!} CRC ${position!}` : `${name!} bytes ${bytes!}`]
    })
    expect(ours.sort()).toEqual(theirs.sort())
  }, 120_000)

  it('read the same records in a directory that our broker wrote, and neither finds a fault', async () => {
    mkdirSync(join(folder.path, 'ours'))
    const directory = new PassedDirectory(join(folder.path, 'ours'))
    await directory.ours('stop')
    expect(await same(directory.data)).toBeGreaterThan(0)
    await directory.dumpClean()
    const { code, lines } = await runTool([directory.data, '--check'])
    expect(
      lines.filter((line) => !/^note: .*(left of an interrupted or delayed change)/.test(line)).slice(1, -2),
    ).toEqual([])
    expect(lines.at(-1)).toMatch(/^0 problems, 0 unreadable files/)
    expect(code).toBe(0)
  }, 120_000)
})
