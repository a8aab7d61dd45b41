/** Directories of a real Kafka 4.3.1 through the tool: the facts that Kafka itself told of them, and nothing changed. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { fingerprint, parsed, runTool } from '../../support/directory-tool.ts'

const golden = join(import.meta.dirname, '..', '..', 'fixtures', 'golden')
const dataOf = (name: string): string => join(golden, name, 'data')
const closed = ['basic-clean', 'groups-txns', 'compacted', 'scram-acls-quotas']
const all = [...closed, 'crashed']

interface Expected {
  readonly topics: Readonly<
    Record<
      string,
      {
        readonly id: string
        readonly internal: boolean
        readonly partitions: readonly {
          readonly p: number
          readonly logStartOffset: number
          readonly endOffset: number
          readonly lastStableOffset: number
          readonly readUncommitted: { readonly count: number; readonly sha256: string }
        }[]
      }
    >
  >
}

const expectedOf = (name: string): Expected =>
  JSON.parse(readFileSync(join(golden, name, 'expected.json'), 'utf8')) as Expected

describe('the listing', () => {
  it.each(closed)('tells what Kafka told of %s', async (name) => {
    const run = await runTool([dataOf(name), '--json'])
    expect(run.code).toBe(0)
    const listed = parsed(run).flatMap((row) => {
      const { topic, partition, topicId, startOffset, endOffset, lastStableOffset, health } = row
      return topic === undefined
        ? []
        : [{ topic, partition, topicId, startOffset, endOffset, lastStableOffset, health }]
    })
    const told = Object.entries(expectedOf(name).topics).flatMap(([topic, { id, partitions }]) =>
      partitions.map(({ p, logStartOffset, endOffset, lastStableOffset }) => {
        const offsets = { startOffset: logStartOffset, endOffset, lastStableOffset }
        return { topic, partition: p, topicId: id, ...offsets, health: 'ok' }
      }),
    )
    const byName = (a: { topic: unknown; partition: unknown }, b: { topic: unknown; partition: unknown }) =>
      `${String(a.topic)}-${String(a.partition)}` < `${String(b.topic)}-${String(b.partition)}` ? -1 : 1
    expect(listed.sort(byName)).toEqual(told.sort(byName))
  })

  it('says what it sees of a crash without reading records', async () => {
    const { code, lines } = await runTool([dataOf('crashed')])
    expect(code).toBe(0)
    const text = lines.join('\n')
    expect(text).toContain('not stopped cleanly')
    expect(text).toMatch(/c-truncated .* 55 .* 199 bytes behind the last whole batch/)
    expect(text).toMatch(/c-garbage .* 60 .* 99 bytes behind the last whole batch/)
  })
})

describe('--check', () => {
  it.each(closed)('finds nothing in %s', async (name) => {
    const run = await runTool([dataOf(name), '--check', '--json'])
    expect(parsed(run)).toEqual([expect.objectContaining({ problems: 0, notes: 0, unreadable: 0 })])
    expect(run.code).toBe(0)
  })

  it('takes what a crash leaves above the recovery point for expected, and says what the next start cuts', async () => {
    const run = await runTool([dataOf('crashed'), '--check'])
    expect(run.code).toBe(0)
    const cut = run.lines.filter((line) => line.includes('the next start cuts'))
    expect(cut.map((line) => /(c-\w+)-0.* the last (\d+) bytes.*offset (\d+)/.exec(line)?.slice(1))).toEqual([
      ['c-badcrc', '191', '55'],
      ['c-garbage', '99', '60'],
      ['c-midcrc', '382', '50'],
      ['c-truncated', '199', '55'],
      ['c-zeros', '300', '60'],
    ])
    expect(run.lines.filter((line) => line.startsWith('problem'))).toEqual([])
  })
})

/** A byte field of a dumped record in base64, `-` for null. */
function base64(field: unknown): string {
  if (field === null) return '-'
  if (typeof field === 'string') return Buffer.from(field).toString('base64')
  return (field as { base64: string }).base64
}

function canonicalLine(record: Record<string, unknown>): string {
  const { offset, timestamp, timestampType, key, value } = record
  const headers = (record['headers'] as { key: string; value: unknown }[]).map(
    (header) => `${header.key}=${base64(header.value)}`,
  )
  return `${[offset, timestamp, timestampType, base64(key), base64(value), headers.join(',')].map(String).join('|')}\n`
}

describe('--dump', () => {
  it.each(closed)('gives the records that Kafka gave of %s', async (name) => {
    let compared = 0
    for (const [topic, { internal, partitions }] of Object.entries(expectedOf(name).topics)) {
      if (internal) continue
      for (const { p, logStartOffset, readUncommitted } of partitions) {
        const args = [dataOf(name), '--json', '--dump', `${topic}-${p}`, '--from', String(logStartOffset)]
        const run = await runTool(args)
        expect(run.errors).toBe('')
        expect(run.code).toBe(0)
        const records = parsed(run).filter((record) => !('control' in record))
        expect(records).toHaveLength(readUncommitted.count)
        const hash = createHash('sha256').update(records.map(canonicalLine).join('')).digest('hex')
        expect(`${topic}-${p} ${hash}`).toBe(`${topic}-${p} ${readUncommitted.sha256}`)
        compared++
      }
    }
    expect(compared).toBeGreaterThan(0)
  })

  it('shows transaction markers as control records', async () => {
    const run = await runTool([dataOf('groups-txns'), '--json', '--dump', 'txonly-0'])
    const [first] = parsed(run).filter((record) => 'control' in record)
    expect(first).toMatchObject({ control: 'ABORT', offset: 1, producerId: 6, transactional: true })
  })

  it('decodes the records of groups', async () => {
    const records = (
      await Promise.all(
        [0, 1, 2].map((p) => runTool([dataOf('groups-txns'), '--json', '--dump', `__consumer_offsets-${p}`])),
      )
    ).flatMap(parsed)
    const types = new Set(records.map(({ decoded }) => (decoded as { type?: string } | undefined)?.type))
    expect([...types]).toEqual(expect.arrayContaining(['OffsetCommit', 'GroupMetadata', 'ConsumerGroupMetadata']))
    expect(records.filter((record) => 'undecodable' in record)).toEqual([])
  })

  it('decodes the records of transactions', async () => {
    const run = await runTool([dataOf('groups-txns'), '--json', '--dump', '__transaction_state-0'])
    const records = parsed(run)
    expect(records).toHaveLength(17)
    expect(records.filter((record) => !('decoded' in record))).toEqual([])
    expect(JSON.stringify(records)).toContain('"transactionalId":"tx-')
  })

  it('passes over a damaged batch, tells it and goes on', async () => {
    const run = await runTool([dataOf('crashed'), '--json', '--dump', 'c-midcrc-0', '--from', '45'])
    expect(run.code).toBe(1)
    expect(run.errors).toMatch(/offset 50 cannot be read: its CRC/)
    expect(parsed(run).map(({ offset }) => offset)).toEqual([45, 46, 47, 48, 49, 55, 56, 57, 58, 59])
  })
})

describe('--metadata', () => {
  it('prints snapshot and log, with everything that the image is made of', async () => {
    const run = await runTool([dataOf('scram-acls-quotas'), '--metadata', '--json'])
    expect(run.code).toBe(0)
    const lines = parsed(run)
    expect(lines[0]).toMatchObject({ snapshot: true, type: 'SnapshotHeader' })
    expect(
      lines.filter(({ snapshot, type }) => snapshot === true && type === 'UserScramCredentialRecord'),
    ).toHaveLength(4)
    const log = lines.filter(({ snapshot }) => snapshot === false)
    expect(log.map(({ offset }) => offset)).toEqual(log.map((_, index) => index + Number(log[0]!['offset'])))
  })
})

describe('the tool', () => {
  const uses = (data: string): string[][] => [
    [data],
    [data, '--json'],
    [data, '--check'],
    [data, '--metadata'],
    [data, '--dump', '__consumer_offsets-0'],
    [data, '--dump', '__cluster_metadata-0', '--json'],
  ]
  it.each(all)('changes nothing in %s: no byte, no time, no file more', async (name) => {
    const before = fingerprint(dataOf(name))
    for (const args of uses(dataOf(name))) await runTool(args)
    expect(fingerprint(dataOf(name))).toBe(before)
  })
})
