/** The files and folders that a store leaves: names, sizes and contents are those of Kafka. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileLogStore } from '../../../src/adapters/storage-fs/file-log-store.ts'
import { StorageError } from '../../../src/application/ports/log-store.ts'
import type { FileStorage } from '../../support/file-storage.ts'
import { fileStorage } from '../../support/file-storage.ts'
import { appendAll, baseOffsets, storedBatch, takeBytes, testLogOptions } from '../../support/stored-batches.ts'

const partition = { topic: 'orders', partition: 3 }
const all = { bytesMax: 1 << 30, atLeastOne: true, before: 1n << 60n }
const small = { ...testLogOptions, segmentBytes: 400, indexIntervalBytes: 100, segmentIndexBytes: 1001 }

describe('the layout of a log directory', () => {
  let storage: FileStorage
  let data: string
  let folder: string
  let store: FileLogStore
  beforeEach(async () => {
    storage = await fileStorage()
    data = join(storage.path, 'data')
    folder = join(data, 'orders-3')
    store = storage.store()
    await store.start()
  })
  afterEach(async () => {
    await store.close()
    await storage.dispose()
  })
  const restart = async () => {
    await store.close()
    store = storage.store()
    await store.start()
  }
  const fill = async (count: number, options = small) => {
    const log = await store.open(partition, options)
    const { end } = log.range()
    for (let i = 0n; i < count; i++) await appendAll(log, [storedBatch({ baseOffset: end + i })])
    return log
  }
  const sizes = async () => {
    const names = (await readdir(folder)).sort()
    return Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).size] as const)),
    )
  }

  it('is that of Kafka while running and after a stop', async () => {
    const log = await fill(6)
    await log.flush()
    expect(await readdir(data)).toContain('.lock')
    expect(await sizes()).toEqual({
      '00000000000000000000.index': 8,
      '00000000000000000000.log': 324,
      '00000000000000000000.timeindex': 24,
      '00000000000000000004.index': 1000,
      '00000000000000000004.log': 162,
      '00000000000000000004.snapshot': 10,
      '00000000000000000004.timeindex': 996,
      'leader-epoch-checkpoint': 8,
      'partition.metadata': 43,
    })
    expect(await readFile(join(folder, 'partition.metadata'), 'utf8')).toBe(
      `version: 0\ntopic_id: ${testLogOptions.topicId}`,
    )
    expect(await readFile(join(folder, 'leader-epoch-checkpoint'), 'utf8')).toBe('0\n1\n0 0\n')
    await log.trim(5n)
    store.setBrokerEpoch(77n)
    await store.close()
    expect(await sizes()).toMatchObject({ '00000000000000000004.index': 0, '00000000000000000004.timeindex': 12 })
    const text = (name: string) => readFile(join(data, name), 'utf8')
    expect(await text('.kafka_cleanshutdown')).toBe('{"version":0,"brokerEpoch":77}')
    expect(await text('recovery-point-offset-checkpoint')).toBe('0\n1\norders 3 6\n')
    expect(await text('replication-offset-checkpoint')).toBe('0\n1\norders 3 6\n')
    expect(await text('log-start-offset-checkpoint')).toBe('0\n1\norders 3 5\n')
    store = storage.store()
    await store.start()
    expect(store.previousBrokerEpoch()).toBe(77n)
    // a start that comes to nothing leaves it: it goes with the first log that is opened
    expect(await readdir(data)).toContain('.kafka_cleanshutdown')
    await store.open(partition, testLogOptions)
    expect(await readdir(data)).not.toContain('.kafka_cleanshutdown')
  })

  it('renames what is trimmed and removes it after the delay, or at the next start', async () => {
    const log = await fill(20)
    const slice = log.read(0n, all)
    await log.trim(6n)
    expect(baseOffsets(takeBytes(await slice))).toHaveLength(20)
    expect(Object.keys(await sizes()).filter((name) => name.endsWith('.deleted'))).toEqual([
      '00000000000000000000.index.deleted',
      '00000000000000000000.log.deleted',
      '00000000000000000000.timeindex.deleted',
    ])
    storage.timers.fire(60_000)
    await log.trim(10n)
    await restart()
    await store.open(partition, small)
    expect(Object.keys(await sizes()).filter((name) => name.endsWith('.deleted'))).toEqual([])
    expect(Object.keys(await sizes())).not.toContain('00000000000000000004.log')
  })

  it('says where records were deleted up to before it answers, so that a kill does not bring them back', async () => {
    const log = await fill(3)
    await log.trim(2n)
    expect(await readFile(join(data, 'log-start-offset-checkpoint'), 'utf8')).toBe('0\n1\norders 3 2\n')
  })

  it('renames a deleted partition, cuts its long name, and removes it after the delay', async () => {
    const long = { topic: 'x'.repeat(249), partition: 0 }
    await store.open(long, testLogOptions)
    await store.delete(long)
    const waiting = (await readdir(data)).find((name) => name.endsWith('-delete'))!
    expect(waiting).toHaveLength(255)
    expect(waiting).toMatch(/^x+-0\.[0-9a-f]{32}-delete$/)
    storage.timers.fire(60_000)
    await store.close()
    expect(await readdir(data)).not.toContain(waiting)
  })

  it('removes what waited for its removal when the last process stopped, once the start is not refused', async () => {
    await store.open(partition, testLogOptions)
    await store.delete(partition)
    const waiting = (await readdir(data)).find((name) => name.endsWith('-delete'))!
    await restart()
    await restart()
    expect(await readdir(data)).toContain(waiting)
    store.setBrokerEpoch(3n)
    await store.close()
    expect(await readdir(data)).not.toContain(waiting)
  })

  it('sets a log aside under the suffix -stray, with its records', async () => {
    await fill(3)
    const before = await readFile(join(folder, '00000000000000000000.log'))
    await store.setAside(partition)
    await store.open(partition, { ...small, topicId: 'YW5vdGhlci10b3BpYy1pZA' })
    const aside = (await readdir(data)).find((name) => name.endsWith('-stray'))!
    expect(aside).toMatch(/^orders-3\.[0-9a-f]{32}-stray$/)
    expect(await readFile(join(data, aside, '00000000000000000000.log'))).toEqual(before)
  })

  it('says after an unclean stop which logs must be recovered', async () => {
    await fill(1)
    await store.close()
    await rm(join(data, '.kafka_cleanshutdown'))
    store = storage.store()
    await store.start()
    const needs = async () => (await store.list()).map(({ needsRecovery }) => needsRecovery)
    expect(await needs()).toEqual([true])
    await store.open(partition, small)
    expect(await needs()).toEqual([false])
  })

  it('forgets the offsets of a deleted partition', async () => {
    const log = await fill(10)
    await log.trim(9n)
    await restart()
    await store.open(partition, small)
    await store.delete(partition)
    expect((await store.open(partition, small)).range()).toEqual({ start: 0n, end: 0n })
    await restart()
    expect((await store.open(partition, small)).range()).toEqual({ start: 0n, end: 0n })
  })

  it('leaves folders and files alone that it does not know', async () => {
    const names = [
      'orders-3.0123456789abcdef0123456789abcdef-stray',
      'notes',
      'orders-x',
      `orders-4.${'0'.repeat(32)}-future`,
    ]
    for (const name of names) await mkdir(join(data, name))
    await fill(1)
    await writeFile(join(folder, 'quorum-state'), '{}')
    await writeFile(join(folder, '00000000000000000000-0000000001.checkpoint'), '')
    await restart()
    expect((await store.list()).map(({ topicPartition }) => topicPartition)).toEqual([partition])
    expect((await store.open(partition, small)).range().end).toBe(1n)
    await store.close()
    expect(await readdir(data)).toEqual(expect.arrayContaining(names))
    expect(await readdir(folder)).toEqual(
      expect.arrayContaining(['quorum-state', '00000000000000000000-0000000001.checkpoint']),
    )
  })

  it('reads topic ids with padding, and refuses a folder whose id it cannot read', async () => {
    await fill(1)
    await store.close()
    await writeFile(join(folder, 'partition.metadata'), `version: 0\ntopic_id: ${testLogOptions.topicId}==\n`)
    store = storage.store()
    await store.start()
    expect((await store.list())[0]?.topicId).toBe(testLogOptions.topicId)
    expect((await store.open(partition, small)).range().end).toBe(1n)
    await store.close()
    await writeFile(join(folder, 'partition.metadata'), 'nonsense')
    store = storage.store()
    await store.start()
    await expect(store.open(partition, small)).rejects.toThrow(StorageError)
    expect(await readFile(join(folder, 'partition.metadata'), 'utf8')).toBe('nonsense')
  })

  it('spreads new partitions over the directories and finds each again', async () => {
    await store.close()
    const directories = [data, join(storage.path, 'more')]
    store = storage.store({ directories })
    await store.start()
    const places = async () => {
      const logs = [0, 1, 2, 3].map((p) => store.open({ topic: 't', partition: p }, testLogOptions))
      return (await Promise.all(logs)).map(({ directory }) => directory)
    }
    const first = await places()
    expect(first.filter((path) => path === data)).toHaveLength(2)
    await store.close()
    store = storage.store({ directories })
    await store.start()
    expect(await places()).toEqual(first)
  })

  it('completes a compaction that was replacing segments, and drops one that had not finished', async () => {
    await fill(16) // segments at 0, 4, 8, 12
    await store.close()
    const at = (name: string) => join(folder, `000000000000000000${name}`)
    // segments 0 and 4 became one with the batches 2 and 6; 8 was being cleaned when the process ended
    const [zero, four] = [await readFile(at('00.log')), await readFile(at('04.log'))]
    await writeFile(at('00.log.swap'), Buffer.concat([zero.subarray(162, 243), four.subarray(162, 243)]))
    await writeFile(at('00.index.swap'), '')
    await writeFile(at('00.timeindex.swap'), '')
    await writeFile(at('08.log.cleaned'), 'half of it')
    await rename(at('04.log'), at('04.log.deleted'))
    store = storage.store()
    await store.start()
    const log = await store.open(partition, small)
    expect(baseOffsets(takeBytes(await log.read(0n, all)))).toEqual([2n, 6n, 8n, 9n, 10n, 11n, 12n, 13n, 14n, 15n])
    expect(baseOffsets(takeBytes(await log.read(3n, { ...all, bytesMax: 1 })))).toEqual([6n])
    expect(baseOffsets(takeBytes(await log.read(7n, { ...all, bytesMax: 1 })))).toEqual([8n])
    const left = (await readdir(folder)).filter((name) => /(swap|cleaned|deleted)$/.test(name))
    expect(left).toEqual([])
  })

  it('removes indexes whose log is gone and a snapshot that is damaged, as Kafka does', async () => {
    await fill(16) // segments at 0, 4, 8, 12, each with a snapshot
    await store.close()
    const at = (name: string) => join(folder, `000000000000000000${name}`)
    for (const name of ['20.index', '20.timeindex', '20.txnindex']) await writeFile(at(name), Buffer.alloc(34))
    await writeFile(at('08.snapshot'), 'damaged')
    store = storage.store()
    await store.start()
    const reopened = await store.open(partition, small)
    expect((await reopened.loadSnapshot(11n))?.offset).toBe(4n)
    const left = await readdir(folder)
    expect(left.filter((name) => /20\.|08\.snapshot/.test(name))).toEqual([])
    expect(left.filter((name) => name.endsWith('.index'))).toHaveLength(4)
    // the segment that comes to begin there has nothing of what lay under its name
    await fill(8)
    expect(await reopened.abortedTransactions(20n, 24n)).toEqual([])
  })

  it('sets the segments behind a cut aside with all of their files', async () => {
    await fill(16) // segments at 0, 4, 8, 12
    await store.close()
    await rm(join(data, '.kafka_cleanshutdown'))
    await writeFile(join(data, 'recovery-point-offset-checkpoint'), '0\n1\norders 3 4\n')
    const damaged = join(folder, '00000000000000000004.log')
    await writeFile(damaged, (await readFile(damaged)).fill(0, 100))
    store = storage.store()
    await store.start()
    expect((await store.open(partition, small)).range().end).toBe(5n)
    expect((await readdir(folder)).filter((name) => /00(08|12)\./.test(name)).sort()).toEqual([
      '00000000000000000008.log.deleted',
      '00000000000000000012.log.deleted',
    ])
  })

  it('flushes by time where flush.ms asks for it', async () => {
    const log = await fill(1, { ...small, flushMs: 500n })
    expect([...storage.timers.pending].map(({ delayMs }) => delayMs)).toContain(500)
    storage.timers.fire(500)
    await log.flush()
    storage.timers.fire(60_000)
    await restart()
    expect(await readFile(join(data, 'recovery-point-offset-checkpoint'), 'utf8')).toBe('0\n1\norders 3 1\n')
  })

  it('serves more logs than it may have files open', async () => {
    await store.close()
    store = storage.store({ openFilesMax: 3 })
    await store.start()
    const topics = Array.from({ length: 12 }, (_, i) => ({ topic: `t${i}`, partition: 0 }))
    const logs = await Promise.all(topics.map((topic) => store.open(topic, testLogOptions)))
    for (let round = 0n; round < 3n; round++) {
      await Promise.all(logs.map((log) => appendAll(log, [storedBatch({ baseOffset: round })])))
    }
    for (const log of logs) expect(baseOffsets(takeBytes(await log.read(0n, all)))).toEqual([0n, 1n, 2n])
  })
})
