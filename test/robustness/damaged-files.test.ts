/**
 * Files that somebody or something damaged while no broker ran: the start says what is damaged, overwrites nothing
 * that it refuses, and serves the rest where that is safe.
 */
import { createHash } from 'node:crypto'
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { errorCode } from '../../src/domain/errors.ts'
import { LogLines } from '../support/tcp.ts'
import { producedBatch } from './support/batches.ts'
import { hostileBroker } from './support/hostile-broker.ts'
import { createTopic, readAll, send } from './support/requests.ts'

const STORAGE_ERROR = errorCode('KAFKA_STORAGE_ERROR')
const LOG = '00000000000000000000.log'

let original: string
let data: string

beforeAll(async () => {
  original = await mkdtemp(path.join(tmpdir(), 'odradek-sound-'))
  const broker = await hostileBroker({ 'log.dirs': original })
  const client = await broker.connect()
  for (const topic of ['hurt', 'well']) {
    expect(await createTopic(client, topic, 1, { 'index.interval.bytes': '0' })).toBe(0)
    for (const value of ['a', 'b', 'c']) await send(client, topic, 0, producedBatch({ values: [value] }))
  }
  await broker.close()
})

beforeEach(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'odradek-damaged-'))
  await cp(original, data, { recursive: true })
})

afterEach(() => rm(data, { recursive: true, force: true }))
afterAll(() => rm(original, { recursive: true, force: true }))

/** Every file with a hash of its bytes. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    found[path.relative(folder, file)] = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
  }
  return found
}

const at = (name: string) => path.join(data, name)

/** Changes bytes in the middle of a file. */
async function spoil(name: string, position: number, bytes: readonly number[]): Promise<void> {
  const content = await readFile(at(name))
  content.set(bytes, position < 0 ? content.length + position : position)
  await writeFile(at(name), content)
}

const garbage = (name: string) =>
  writeFile(at(name), Buffer.from('\u0000\u00ff garbage \u0007\n\n'.repeat(9), 'latin1'))

describe('a start that is refused', () => {
  const metadataLog = `__cluster_metadata-0/${LOG}`
  it.each<[string, () => Promise<void>, RegExp]>([
    ['meta.properties cut off', () => truncate(at('meta.properties'), 20), /meta\.properties/],
    ['meta.properties empty', () => truncate(at('meta.properties'), 0), /meta\.properties/],
    ['meta.properties of garbage', () => garbage('meta.properties'), /meta\.properties/],
    [
      "another node's meta.properties",
      async () => {
        const text = await readFile(at('meta.properties'), 'utf8')
        await writeFile(at('meta.properties'), text.replace(/node\.id=\d+/, 'node.id=77'))
      },
      /meta\.properties.*77|77.*meta\.properties/,
    ],
    ['the metadata log, in its middle', () => spoil(metadataLog, 200, [1, 2, 3, 4, 5, 6]), /__cluster_metadata-0/],
    ['the metadata log, at its beginning', () => spoil(metadataLog, 8, [0, 0, 0, 0]), /__cluster_metadata-0/],
    ['a metadata log of garbage', () => garbage(metadataLog), /__cluster_metadata-0/],
    [
      'the metadata log of another topic',
      () => garbage('__cluster_metadata-0/partition.metadata'),
      /partition\.metadata/,
    ],
    ['quorum-state of garbage', () => garbage('__cluster_metadata-0/quorum-state'), /quorum-state/],
  ])('%s', async (_, damage, named) => {
    const deleted = `gone-0.${'0'.repeat(32)}-delete`
    await mkdir(at(deleted))
    await writeFile(at(`${deleted}/${LOG}`), 'x')
    await damage()
    const before = await contents(data)
    const log = new LogLines()
    await expect(hostileBroker({ 'log.dirs': data }, {}, log)).rejects.toThrow(named)
    expect(await contents(data)).toEqual(before)
  })

  it('two directories of different clusters', async () => {
    const other = await mkdtemp(path.join(tmpdir(), 'odradek-other-'))
    try {
      await (await hostileBroker({ 'log.dirs': other })).close()
      const before = [await contents(data), await contents(other)]
      await expect(hostileBroker({ 'log.dirs': `${data},${other}` })).rejects.toThrow(/cluster\.?id/i)
      expect([await contents(data), await contents(other)]).toEqual(before)
    } finally {
      await rm(other, { recursive: true, force: true })
    }
  })
})

describe('a start that serves the rest', () => {
  it.each<[string, () => Promise<void>, string, string]>([
    ['partition.metadata', () => garbage('hurt-0/partition.metadata'), 'hurt-0', 'partition.metadata'],
    ['an empty partition.metadata', () => truncate(at('hurt-0/partition.metadata'), 0), 'hurt-0', 'partition.metadata'],
    ['the last bytes of a log', () => spoil(`hurt-0/${LOG}`, -80, [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]), 'hurt-0', LOG],
    ['a log cut off', () => truncate(at(`hurt-0/${LOG}`), 100), 'hurt-0', LOG],
    ['a log with something behind its end', () => appendFile(at(`hurt-0/${LOG}`), 'something'), 'hurt-0', LOG],
  ])('%s: that partition is offline, its files as they were', async (_, damage, folder, file) => {
    await damage()
    const before = await contents(at(folder))
    const broker = await hostileBroker({ 'log.dirs': data })
    try {
      const client = await broker.connect()
      expect(await readAll(client, 'hurt', 0)).toBe(STORAGE_ERROR)
      expect(await send(client, 'hurt', 0, producedBatch({ values: ['d'] }))).toBe(STORAGE_ERROR)
      expect(await readAll(client, 'well', 0)).toHaveLength(3)
      expect(await send(client, 'well', 0, producedBatch({ values: ['d'] }))).toBe(3n)
      const said = broker.log.lines.filter(({ level }) => level === 'error')
      expect(said).toHaveLength(1)
      expect((said[0]!.fields['cause'] as Error).message).toContain(file)
      expect(broker.uncaught).toEqual([])
    } finally {
      await broker.close()
    }
    expect(await contents(at(folder))).toEqual(before)
    // nor is the damage forgotten, or cut away, by the next start
    const again = await hostileBroker({ 'log.dirs': data })
    const client = await again.connect()
    expect(await readAll(client, 'well', 0)).toHaveLength(4)
    await again.close()
  })

  it.each([
    ['recovery-point-offset-checkpoint'],
    ['log-start-offset-checkpoint'],
    ['replication-offset-checkpoint'],
    ['hurt-0/leader-epoch-checkpoint'],
    ['hurt-0/00000000000000000000.index'],
    ['hurt-0/00000000000000000000.timeindex'],
    ['hurt-0/00000000000000000003.snapshot'],
    ['.kafka_cleanshutdown'],
  ])('%s of garbage: every record is there', async (name) => {
    await garbage(name)
    const broker = await hostileBroker({ 'log.dirs': data })
    try {
      const client = await broker.connect()
      for (const topic of ['hurt', 'well']) {
        expect(await readAll(client, topic, 0)).toMatchObject([{ value: 'a' }, { value: 'b' }, { value: 'c' }])
        expect(await send(client, topic, 0, producedBatch({ values: ['d'] }))).toBe(3n)
      }
      expect(broker.log.lines.filter(({ level }) => level === 'error')).toEqual([])
      expect(broker.uncaught).toEqual([])
    } finally {
      await broker.close()
    }
  })
})

it('a batch torn after a crash, with zeros where its magic was, is no message of an older format', async () => {
  await rm(at('.kafka_cleanshutdown'))
  await rm(at('recovery-point-offset-checkpoint'))
  const { length } = producedBatch({ values: ['c'] })
  await spoil(`hurt-0/${LOG}`, 12 - length, new Array<number>(length - 12).fill(0))
  const broker = await hostileBroker({ 'log.dirs': data })
  try {
    const client = await broker.connect()
    expect(await readAll(client, 'hurt', 0)).toMatchObject([{ value: 'a' }, { value: 'b' }])
    expect(await send(client, 'hurt', 0, producedBatch({ values: ['d'] }))).toBe(2n)
  } finally {
    await broker.close()
  }
})
