/**
 * Disks that fail under a running broker: the partition goes offline with KAFKA_STORAGE_ERROR and says so once, its
 * neighbours are served, and the next start finds every acknowledged record.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { FileLogStore } from '../../src/adapters/storage-fs/file-log-store.ts'
import { Crc32cChecksum } from '../../src/adapters/system/crc32c-checksum.ts'
import { SystemRandom } from '../../src/adapters/system/system-random.ts'
import { SystemTimers } from '../../src/adapters/system/system-timers.ts'
import { deleteTopics } from '../../src/adapters/wire/apis/20-delete-topics.ts'
import { errorCode } from '../../src/domain/errors.ts'
import { LogLines, until } from '../support/tcp.ts'
import type { WireClient } from '../support/wire-client.ts'
import { producedBatch } from './support/batches.ts'
import { FaultyFileSystem, type Fault, type Operation } from './support/faulty-file-system.ts'
import { hostileBroker, type HostileBroker } from './support/hostile-broker.ts'
import { createTopic, readAll, send } from './support/requests.ts'

const STORAGE_ERROR = errorCode('KAFKA_STORAGE_ERROR')

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'odradek-disk-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

async function start(disk = new FaultyFileSystem(), log = new LogLines()): Promise<HostileBroker> {
  const logStore = new FileLogStore({
    directories: [path.join(folder, 'data')],
    checksum: new Crc32cChecksum(),
    timers: new SystemTimers(),
    random: new SystemRandom(),
    logger: log,
    fileSystem: disk.system,
  })
  return await hostileBroker({ 'log.dirs': path.join(folder, 'data') }, { logStore }, log)
}

const value = (index: number) => `value ${index}`
const batchOf = (index: number) => producedBatch({ values: [value(index)] })
const errors = (broker: HostileBroker) => broker.log.lines.filter(({ level }) => level === 'error')

async function values(client: WireClient, topic: string): Promise<number | string[]> {
  const found = await readAll(client, topic, 0)
  return typeof found === 'number' ? found : found.map((each) => each.value)
}

/** Two topics of one partition, `hurt` with three records and `well` with one. */
async function filled(disk: FaultyFileSystem, configs: Readonly<Record<string, string>> = {}) {
  const broker = await start(disk)
  const client = await broker.connect()
  for (const topic of ['hurt', 'well']) expect(await createTopic(client, topic, 1, configs)).toBe(0)
  for (let index = 0; index < 3; index++) expect(await send(client, 'hurt', 0, batchOf(index))).toBe(BigInt(index))
  expect(await send(client, 'well', 0, batchOf(0))).toBe(0n)
  return { broker, client }
}

/** Everything else goes on: other partitions, and questions about the cluster. */
async function restIsServed(client: WireClient): Promise<void> {
  expect(typeof (await send(client, 'well', 0, batchOf(9)))).toBe('bigint')
  expect(await createTopic(client, `new-${Date.now()}`)).toBe(0)
}

const isLog = ({ path: file }: Operation, topic: string) => file.includes(`/${topic}-0/`) && file.endsWith('.log')

describe('a write that fails', () => {
  it.each<[string, Fault, (fault: Fault | null) => Fault | null]>([
    ['at once', { fail: 'EIO' }, () => null],
    ['in its middle, the disk being full', { short: 100, then: 'ENOSPC' }, () => null],
    ['after a part that was reported', { short: 30 }, () => ({ fail: 'ENOSPC' })],
    ['and cannot be taken back', { short: 70, then: 'EIO' }, () => ({ fail: 'EIO' })],
  ])('%s', async (_, first, later) => {
    const disk = new FaultyFileSystem()
    const { broker, client } = await filled(disk)
    try {
      let fault: Fault | null = first
      disk.fault = (operation) => {
        if (!isLog(operation, 'hurt') || (operation.name !== 'writev' && operation.name !== 'truncate')) return null
        const now = fault
        fault = later(fault)
        return now
      }
      const sent = await Promise.all([3, 4, 5].map((index) => send(client, 'hurt', 0, batchOf(index))))
      expect(sent).toEqual([STORAGE_ERROR, STORAGE_ERROR, STORAGE_ERROR])
      disk.fault = () => null
      // offline for good, whatever the disk says now
      expect(await send(client, 'hurt', 0, batchOf(6))).toBe(STORAGE_ERROR)
      expect(await values(client, 'hurt')).toBe(STORAGE_ERROR)
      await restIsServed(client)
      expect(errors(broker)).toHaveLength(1)
      expect(broker.uncaught).toEqual([])
    } finally {
      await broker.close()
    }
    const again = await start()
    try {
      const client = await again.connect()
      const found = await values(client, 'hurt')
      expect(found).toEqual([0, 1, 2].map(value))
      expect(await send(client, 'hurt', 0, batchOf(3))).toBe(3n)
    } finally {
      await again.close()
    }
  })

  it('and is short, but not wrong, is carried on', async () => {
    const disk = new FaultyFileSystem()
    const { broker, client } = await filled(disk)
    disk.fault = (operation) => (operation.name === 'writev' && operation.bytes > 7 ? { short: 7 } : null)
    for (let index = 3; index < 6; index++) expect(await send(client, 'hurt', 0, batchOf(index))).toBe(BigInt(index))
    expect(await values(client, 'hurt')).toEqual([0, 1, 2, 3, 4, 5].map(value))
    await broker.close()
    const again = await start()
    expect(await values(await again.connect(), 'hurt')).toEqual([0, 1, 2, 3, 4, 5].map(value))
    await again.close()
  })
})

describe('other operations that fail', () => {
  it('a read: the partition goes offline, and is whole again after a restart', async () => {
    const disk = new FaultyFileSystem()
    const before = await filled(disk)
    await before.broker.close()
    const broker = await start(disk)
    const client = await broker.connect()
    expect(await send(client, 'hurt', 0, batchOf(3))).toBe(3n)
    disk.fault = (operation) => (operation.name === 'read' && isLog(operation, 'hurt') ? { fail: 'EIO' } : null)
    expect(await values(client, 'hurt')).toBe(STORAGE_ERROR)
    disk.fault = () => null
    expect(await send(client, 'hurt', 0, batchOf(4))).toBe(STORAGE_ERROR)
    expect(await values(client, 'well')).toEqual([value(0)])
    await restIsServed(client)
    expect(errors(broker)).toHaveLength(1)
    await broker.close()
    const again = await start()
    expect(await values(await again.connect(), 'hurt')).toEqual([0, 1, 2, 3].map(value))
    await again.close()
  })

  it('an fsync that an acknowledgement needs', async () => {
    const disk = new FaultyFileSystem()
    const { broker, client } = await filled(disk, { 'flush.messages': '1' })
    disk.fault = (operation) => (operation.name === 'sync' && isLog(operation, 'hurt') ? { fail: 'EIO' } : null)
    expect(await send(client, 'hurt', 0, batchOf(3))).toBe(STORAGE_ERROR)
    disk.fault = () => null
    expect(await send(client, 'hurt', 0, batchOf(4))).toBe(STORAGE_ERROR)
    await restIsServed(client)
    expect(errors(broker)).toHaveLength(1)
    await broker.close()
    const again = await start()
    expect(await values(await again.connect(), 'hurt')).toEqual(expect.arrayContaining([0, 1, 2].map(value)))
    await again.close()
  })

  it.each<[string, Operation['name'], RegExp]>([
    ['the log file', 'open', /hurt-0\/0*[1-9]\d*\.log$/],
    ['an index file', 'open', /hurt-0\/0*[1-9]\d*\.(time)?index$/],
    ['the index of the segment that ended', 'writev', /hurt-0\/0{20}\.index$/],
    ['the snapshot of the producers', 'writev', /hurt-0\/\d+\.snapshot/],
    ['the fsync of the segment that ended', 'sync', /hurt-0\/0{20}\.log$/],
  ])('beginning a new segment: %s', async (_, name, file) => {
    const disk = new FaultyFileSystem()
    const { broker, client } = await filled(disk, { 'segment.bytes': '1048576', 'index.interval.bytes': '0' })
    disk.fault = (operation) => (operation.name === name && file.test(operation.path) ? { fail: 'ENOSPC' } : null)
    const acknowledged = [0, 1, 2].map(value)
    const large = (index: number) => `${index}`.repeat(400_000)
    for (let index = 3; index < 9; index++) {
      const sent = await send(client, 'hurt', 0, producedBatch({ values: [large(index)] }))
      if (typeof sent === 'bigint') acknowledged.push(large(index))
      else expect(sent).toBe(STORAGE_ERROR)
    }
    // what fails in the background is noticed in its own time
    await until(() => errors(broker).length > 0)
    disk.fault = () => null
    expect(await send(client, 'hurt', 0, batchOf(9))).toBe(STORAGE_ERROR)
    await restIsServed(client)
    expect(errors(broker)).toHaveLength(1)
    expect(broker.uncaught).toEqual([])
    await broker.close()
    const again = await start()
    const found = await values(await again.connect(), 'hurt')
    expect((found as string[]).slice(0, acknowledged.length)).toEqual(acknowledged)
    await again.close()
  })

  it('creating a partition: that partition answers, and the next start makes it', async () => {
    const disk = new FaultyFileSystem()
    const { broker, client } = await filled(disk)
    disk.fault = ({ path: file }) => (file.includes('/late-0') ? { fail: 'ENOSPC' } : null)
    expect(await createTopic(client, 'late', 2)).toBe(0)
    expect(await send(client, 'late', 0, batchOf(0))).toBe(STORAGE_ERROR)
    expect(await send(client, 'late', 1, batchOf(0))).toBe(0n)
    disk.fault = () => null
    await restIsServed(client)
    expect(errors(broker)).toHaveLength(1)
    await broker.close()
    const again = await start()
    const later = await again.connect()
    expect(await send(later, 'late', 0, batchOf(0))).toBe(0n)
    expect(errors(again)).toEqual([])
    await again.close()
  })

  it('deleting a partition: it is said, and a topic of the same name has none of its records', async () => {
    const disk = new FaultyFileSystem()
    const { broker, client } = await filled(disk)
    disk.fault = ({ name, path: file }) => (name === 'rename' && file.endsWith('/hurt-0') ? { fail: 'EIO' } : null)
    await client.send(deleteTopics, 5, { topicNames: ['hurt'], topics: [], timeoutMs: 1000 })
    await until(() => errors(broker).length > 0)
    disk.fault = () => null
    expect(await createTopic(client, 'hurt')).toBe(0)
    expect(await values(client, 'hurt')).not.toEqual([0, 1, 2].map(value))
    await restIsServed(client)
    await broker.close()
    const again = await start()
    expect(await values(await again.connect(), 'hurt')).not.toEqual([0, 1, 2].map(value))
    await again.close()
  })
})

describe('the metadata log', () => {
  it.each<[string, Fault]>([
    ['that is full', { fail: 'ENOSPC' }],
    ['that is torn', { short: 50, then: 'EIO' }],
  ])('%s: nothing is created, and what is there is served', async (_, fault) => {
    const disk = new FaultyFileSystem()
    const { broker, client } = await filled(disk)
    disk.fault = (operation) => (operation.name === 'writev' && isLog(operation, '__cluster_metadata') ? fault : null)
    expect(await createTopic(client, 'late')).not.toBe(0)
    disk.fault = () => null
    expect(await createTopic(client, 'later')).not.toBe(0)
    expect(await send(client, 'late', 0, batchOf(0))).toBe(errorCode('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(await values(client, 'hurt')).toEqual([0, 1, 2].map(value))
    expect(await send(client, 'well', 0, batchOf(1))).toBe(1n)
    expect(errors(broker)).toHaveLength(1)
    expect(broker.uncaught).toEqual([])
    await broker.close()
    const again = await start()
    const after = await again.connect()
    expect(await values(after, 'hurt')).toEqual([0, 1, 2].map(value))
    expect(await createTopic(after, 'late')).toBe(0)
    await again.close()
  })
})
