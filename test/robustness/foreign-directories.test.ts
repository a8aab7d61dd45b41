/**
 * What is not ours in a log directory, and directories that are not for us: the one is left alone through start, stop,
 * deletion of records, retention, compaction and recovery, the other refused with one line that names file and value,
 * nothing changed.
 */
import { crc32 } from 'node:zlib'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { fetch } from '../../src/adapters/wire/apis/01-fetch.ts'
import { metadata } from '../../src/adapters/wire/apis/03-metadata.ts'
import { deleteRecords } from '../../src/adapters/wire/apis/21-delete-records.ts'
import { incrementalAlterConfigs } from '../../src/adapters/wire/apis/44-incremental-alter-configs.ts'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import { readPartition, recordBatch, utf8 } from '../support/records.ts'
import type { WireClient } from '../support/wire-client.ts'
import { producedBatch } from './support/batches.ts'
import { hostileBroker } from './support/hostile-broker.ts'
import { createTopic, fetchRequest, readAll, send } from './support/requests.ts'

const LOG = '00000000000000000000.log'

let original: string
let folder: string
let data: string

beforeAll(async () => {
  original = await mkdtemp(path.join(tmpdir(), 'odradek-known-'))
  const broker = await hostileBroker({ 'log.dirs': original })
  const client = await broker.connect()
  for (const topic of ['kept', 'well']) {
    expect(await createTopic(client, topic, 1, { 'internal.segment.bytes': '200', 'file.delete.delay.ms': '0' })).toBe(
      0,
    )
    for (const value of ['a', 'b', 'c', 'd', 'e', 'f']) {
      await send(client, topic, 0, producedBatch({ values: [value] }))
    }
  }
  await broker.close()
})

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'odradek-foreign-'))
  data = path.join(folder, 'data')
  await cp(original, data, { recursive: true })
})

afterEach(() => rm(folder, { recursive: true, force: true }))
afterAll(() => rm(original, { recursive: true, force: true }))

const at = (name: string): string => path.join(data, name)
const rewrite = async (name: string, change: (text: string) => string): Promise<void> =>
  writeFile(at(name), change(await readFile(at(name), 'utf8')))

async function contents(): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(data, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name)
    const bytes = entry.isFile() ? await readFile(file) : ''
    found[path.relative(data, file)] = createHash('sha256').update(bytes).digest('hex')
  }
  return found
}

const theirs = [
  'notes.txt',
  'holiday pictures/beach.jpg',
  'kept',
  'lost+found/#1234',
  'gone-0.0123456789abcdef0123456789abcdef-stray/00000000000000000000.log',
  'kept-0/readme.txt',
  'kept-0/00000000000000000000.log.bak',
  'kept-0/notes.cleaned',
  'kept-0/notes.deleted',
  'kept-0/notes.index',
  'kept-0/notes.index.swap',
  'kept-0/notes.txnindex.swap',
  'kept-0/notes.log',
  'kept-0/12.snapshot',
  'kept-0/folder.log/00000000000000000000.log',
  'kept-0/backup/00000000000000000000.log',
  '__cluster_metadata-0/notes.checkpoint',
  '__cluster_metadata-0/notes.checkpoint.part',
]

/** From one pass of retention to the next; the cleaner passes more often. */
const PASS_MS = 300_000
const keyed = (value: string) => ({ key: utf8('k'), value: utf8(value), timestamp: 1_700_000_000_000n })

async function alterTopic(client: WireClient, resourceName: string, entries: Record<string, string>): Promise<void> {
  const configs = Object.entries(entries).map(([name, value]) => ({ name, configOperation: 0, value }))
  const resources = [{ resourceType: 2, resourceName, configs }]
  const { responses } = await client.send(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  expect(responses[0]!.errorCode).toBe(0)
}

describe('files and folders that are nobody’s', () => {
  beforeEach(async () => {
    for (const name of theirs) {
      await mkdir(path.dirname(at(name)), { recursive: true })
      await writeFile(at(name), `this is ${name}`)
    }
    await symlink('/nowhere', at('link'))
  })

  async function areThere(): Promise<void> {
    for (const name of theirs) expect(await readFile(at(name), 'utf8')).toBe(`this is ${name}`)
    expect(await readdir(data)).toContain('link')
  }

  it.each(['after a clean stop', 'after a kill'])(
    'stay through start, deletion of segments and stop, %s',
    async (when) => {
      if (when === 'after a kill') await rm(at('.kafka_cleanshutdown'))
      const broker = await hostileBroker({ 'log.dirs': data })
      try {
        const client = await broker.connect()
        await areThere()
        expect(await readAll(client, 'kept', 0)).toHaveLength(6)
        const topics = [{ name: 'kept', partitions: [{ partitionIndex: 0, offset: 5n }] }]
        const answer = await client.send(deleteRecords, 2, { topics, timeoutMs: 1000 })
        expect(answer.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: 5n })
        expect(await send(client, 'kept', 0, producedBatch({ values: ['g'] }))).toBe(6n)
        expect(broker.uncaught).toEqual([])
      } finally {
        await broker.close()
      }
      expect((await readdir(at('kept-0'))).filter((name) => name === LOG)).toEqual([])
      await areThere()
      await (await hostileBroker({ 'log.dirs': data })).close()
      await areThere()
    },
  )

  it.each<[string, Record<string, string>, number[]]>([
    ['retention by time', { 'retention.ms': '1000' }, []],
    ['retention by size', { 'retention.bytes': '0' }, []],
    // of two records with one key the second stays, and the newest, which is in the active segment
    ['compaction', { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' }, [7, 8]],
  ])('stay through %s', async (_, configs, left) => {
    const time = new ManualClock()
    const properties = { 'log.dirs': data, 'log.cleaner.dedupe.buffer.size': 2 << 20 }
    const broker = await hostileBroker(properties, { clock: time, timers: time })
    try {
      const client = await broker.connect()
      for (const value of ['g', 'h', 'i']) await send(client, 'kept', 0, recordBatch([keyed(value)]))
      await alterTopic(client, 'kept', configs)
      time.advance(PASS_MS)
      const offsets = async () => (await readPartition(client, 'kept', 0)).records.map(({ offset }) => Number(offset))
      while ((await offsets()).length > left.length) await new Promise((resolve) => setImmediate(resolve))
      expect(await offsets()).toEqual(left)
      expect(broker.uncaught).toEqual([])
    } finally {
      await broker.close()
    }
    await areThere()
  })
})

describe('a directory that is not for this broker is refused, and nothing changes', () => {
  it.each<[string, () => Promise<void>, RegExp]>([
    [
      'of ZooKeeper’s time',
      () =>
        rewrite('meta.properties', (text) => text.replace('version=1', 'version=0').replace('node.id', 'broker.id')),
      /meta\.properties: version 0 belongs to a cluster with ZooKeeper/,
    ],
    [
      'of a later layout',
      () => rewrite('meta.properties', (text) => text.replace('version=1', 'version=2')),
      /meta\.properties: version is 2, not 1/,
    ],
    [
      'without a node id',
      () => rewrite('meta.properties', (text) => text.replace(/node\.id=.*\n/, '')),
      /meta\.properties: node\.id is missing/,
    ],
    [
      'of another node',
      () => rewrite('meta.properties', (text) => text.replace(/node\.id=.*\n/, 'node.id=7\n')),
      /meta\.properties: node\.id is 7, but this broker is configured as 1/,
    ],
    [
      'without a cluster',
      () => rewrite('meta.properties', (text) => text.replace(/cluster\.id=.*\n/, '')),
      /meta\.properties: cluster\.id is missing/,
    ],
  ])('%s', async (_, change, line) => {
    await change()
    const before = await contents()
    await expect(hostileBroker({ 'log.dirs': data })).rejects.toThrow(line)
    expect(await contents()).toEqual(before)
  })

  it('two directories that disagree about their cluster, or are copies of each other', async () => {
    const twin = path.join(folder, 'twin')
    await cp(data, twin, { recursive: true })
    const before = await contents()
    const both = { 'log.dirs': `${data},${twin}` }
    await expect(hostileBroker(both)).rejects.toThrow(
      /twin\/meta\.properties: directory\.id [\w-]{22} is also that of .*data/,
    )
    await writeFile(
      path.join(twin, 'meta.properties'),
      'version=1\nnode.id=1\ncluster.id=AnotherAAAAAAAAAAAAAAA\ndirectory.id=yp-nC7tysSbR3GYXw0wewg\n',
    )
    await expect(hostileBroker(both)).rejects.toThrow(
      /twin\/meta\.properties: cluster\.id is AnotherAAAAAAAAAAAAAAA, but .*data\/meta\.properties says [\w-]{22}/,
    )
    expect(await contents()).toEqual(before)
  })
})

describe('without a metadata log', () => {
  it('only folders of partitions become topics; others stay as they are', async () => {
    await rm(at('__cluster_metadata-0'), { recursive: true })
    await rm(at('bootstrap.checkpoint'))
    const known = await readFile(at('kept-0/partition.metadata'))
    for (const name of ['photos-2024', 'kept-01', 'kept-3000000000', 'far-2000000000', 'only-0']) await mkdir(at(name))
    for (const name of ['kept-01', 'kept-3000000000']) await writeFile(at(`${name}/partition.metadata`), known)
    for (const name of ['photos-2024/beach.jpg', `far-2000000000/${LOG}`, `only-0/${LOG}`])
      await writeFile(at(name), '')
    const folders = () => Promise.all(['photos-2024', 'kept-01', 'far-2000000000'].map((name) => readdir(at(name))))
    const before = await folders()
    const broker = await hostileBroker({ 'log.dirs': data })
    try {
      const client = await broker.connect()
      const { topics } = await client.send(metadata, 8, { topics: null })
      const found = topics.map(({ name, partitions }) => [name, partitions.length]).sort()
      expect(found).toEqual([
        ['kept', 1],
        ['only', 1],
        ['well', 1],
      ])
      expect(await readAll(client, 'kept', 0)).toHaveLength(6)
      expect(await folders()).toEqual(before)
    } finally {
      await broker.close()
    }
  })
})

/** A message of format 0, or of format 1, which has a timestamp: one record, no key. */
function oldMessage(format: 0 | 1, offset: bigint, value: string): Buffer {
  const timestamp = Buffer.alloc(format === 0 ? 0 : 8)
  if (format === 1) timestamp.writeBigInt64BE(1_700_000_000_000n)
  const sizes = Buffer.alloc(8)
  sizes.writeInt32BE(-1, 0)
  sizes.writeInt32BE(value.length, 4)
  const body = Buffer.concat([Buffer.from([format, 0]), timestamp, sizes, Buffer.from(value)])
  const head = Buffer.alloc(16)
  head.writeBigInt64BE(offset, 0)
  head.writeInt32BE(4 + body.length, 8)
  head.writeUInt32BE(crc32(body), 12)
  return Buffer.concat([head, body])
}

describe.each([0, 1] as const)('messages of format %i in a log', (format) => {
  const old = (): Buffer => Buffer.concat([0n, 1n, 2n].map((offset) => oldMessage(format, offset, `old ${offset}`)))

  async function replaceLog(bytes: Buffer): Promise<void> {
    for (const name of await readdir(at('kept-0'))) {
      if (name !== 'partition.metadata') await rm(at(`kept-0/${name}`))
    }
    await writeFile(at(`kept-0/${LOG}`), bytes)
    await rm(at('recovery-point-offset-checkpoint'))
    await rm(at('.kafka_cleanshutdown'))
  }

  it('are served as they lie there, and new batches follow them', async () => {
    await replaceLog(old())
    const broker = await hostileBroker({ 'log.dirs': data })
    try {
      const client = await broker.connect()
      const { responses } = await client.send(fetch, 11, fetchRequest('kept', 0, 0n))
      const { errorCode, records } = responses[0]!.partitions[0]!
      expect(errorCode).toBe(0)
      expect(Buffer.from(records!).equals(old())).toBe(true)
      expect(await send(client, 'kept', 0, producedBatch({ values: ['new'] }))).toBe(3n)
    } finally {
      await broker.close()
    }
  })

  it('that are damaged below the recovery point take their partition offline, with a line', async () => {
    const bytes = old()
    bytes[20] = bytes[20]! ^ 0xff
    await replaceLog(bytes)
    await writeFile(at('recovery-point-offset-checkpoint'), '0\n1\nkept 0 3\n')
    const broker = await hostileBroker({ 'log.dirs': data })
    try {
      const client = await broker.connect()
      expect(typeof (await readAll(client, 'kept', 0))).toBe('number')
      expect(await readAll(client, 'well', 0)).toHaveLength(6)
      const [said] = broker.log.lines.filter(({ level }) => level === 'error')
      expect((said!.fields['cause'] as Error).message).toMatch(/kept-0.*is damaged at byte 0, offset 0: its CRC/)
    } finally {
      await broker.close()
    }
    expect((await readFile(at(`kept-0/${LOG}`))).equals(bytes)).toBe(true)
  })
})
