/** Directories that Apache Kafka 4.3.1 wrote, clean and crashed, open to exactly what that broker answered. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FileSegment } from '../../../src/adapters/storage-fs/file-segment.ts'
import type { LogOptions, PartitionLog } from '../../../src/application/ports/log-store.ts'
import { StorageError } from '../../../src/application/ports/log-store.ts'
import { RecordBatchView } from '../../../src/domain/log/record-batch.ts'
import type { FileStorage } from '../../support/file-storage.ts'
import { fileStorage, storageContext } from '../../support/file-storage.ts'
import { takeBytes, testLogOptions } from '../../support/stored-batches.ts'

const golden = join(import.meta.dirname, '../../fixtures/golden')
const names = ['basic-clean', 'compacted', 'crashed', 'groups-txns', 'scram-acls-quotas']

interface ExpectedPartition {
  readonly p: number
  readonly logStartOffset: number
  readonly endOffset: number
  readonly startLeaderEpoch: number
  readonly maxTimestamp: { readonly offset: number; readonly timestamp: number }
}
interface ExpectedTopic {
  readonly id: string
  readonly configs: Readonly<Record<string, string>>
  readonly partitions: readonly ExpectedPartition[]
}

async function expectedTopics(name: string): Promise<[string, ExpectedTopic][]> {
  const expected = JSON.parse(await readFile(join(golden, name, 'expected.json'), 'utf8')) as {
    topics: Record<string, ExpectedTopic>
  }
  return Object.entries(expected.topics)
}

function optionsOf(topic: ExpectedTopic): LogOptions {
  const configs = topic.configs
  return {
    ...testLogOptions,
    topicId: topic.id,
    segmentBytes: Number(configs['segment.bytes'] ?? testLogOptions.segmentBytes),
    segmentIndexBytes: Number(configs['segment.index.bytes'] ?? 4096),
    indexIntervalBytes: Number(configs['index.interval.bytes'] ?? 4096),
  }
}

function timeEntries(bytes: Buffer): string[] {
  return Array.from({ length: bytes.byteLength / 12 }, (_, i) => bytes.toString('hex', i * 12, i * 12 + 12))
}

async function allBatches(log: PartitionLog): Promise<RecordBatchView[]> {
  const { start, end } = log.range()
  const bytes = takeBytes(await log.read(start, { bytesMax: 1 << 30, atLeastOne: true, before: end }))
  const batches: RecordBatchView[] = []
  for (let at = 0; at < bytes.byteLength;) {
    const view = new RecordBatchView(bytes, at)
    batches.push(view)
    at += view.sizeBytes
  }
  return batches
}

describe('directories of a real Kafka', () => {
  let storage: FileStorage
  let data: string
  beforeEach(async () => {
    storage = await fileStorage()
    data = join(storage.path, 'data')
  })
  afterEach(() => storage.dispose())
  const copy = async (name: string) => {
    await cp(join(golden, name, 'data'), data, { recursive: true })
  }

  describe.each(names)('%s', (name) => {
    it('opens with the offsets, epochs and timestamps that its broker answered', async () => {
      await copy(name)
      const store = storage.store()
      await store.start()
      const ids = new Map((await store.list()).map(({ topicPartition, topicId }) => [topicPartition.topic, topicId]))
      for (const [topic, expected] of await expectedTopics(name)) {
        expect([topic, ids.get(topic)]).toEqual([topic, expected.id])
        for (const { p, ...partition } of expected.partitions) {
          const log = await store.open({ topic, partition: p }, optionsOf(expected))
          const where = `${topic}-${p}`
          const { start, end } = log.range()
          expect([where, start, end]).toEqual([where, BigInt(partition.logStartOffset), BigInt(partition.endOffset)])
          const batches = await allBatches(log)
          expect(batches.at(-1)?.lastOffset ?? end - 1n).toBe(end - 1n)
          for (const { epoch, startOffset } of log.leaderEpochs()) {
            expect(startOffset).toBeGreaterThanOrEqual(start)
            expect(startOffset).toBeLessThanOrEqual(end)
            const first = batches.find((batch) => batch.lastOffset >= startOffset)
            if (first !== undefined) expect([where, first.leaderEpoch]).toEqual([where, epoch])
          }
          if (batches.length > 0) expect(log.leaderEpochs()[0]?.epoch).toBe(partition.startLeaderEpoch)
          const max = batches.reduce((most, batch) => (batch.maxTimestamp > most ? batch.maxTimestamp : most), -1n)
          // the record of the largest timestamp lies in the batch that the lookup is given
          const found = await log.offsetOfMaxTimestamp((bytes) => {
            const { lastOffset, maxTimestamp, leaderEpoch } = new RecordBatchView(bytes)
            return { offset: lastOffset, timestamp: maxTimestamp, leaderEpoch }
          })
          expect([where, found?.timestamp ?? -1n]).toEqual([where, max])
          if (partition.maxTimestamp.timestamp >= 0) {
            expect(found!.timestamp).toBe(BigInt(partition.maxTimestamp.timestamp))
            expect(found!.offset).toBeGreaterThanOrEqual(BigInt(partition.maxTimestamp.offset))
          }
        }
      }
      await store.close()
    })

    it('is left as Kafka leaves it: same logs, indexes and checkpoints, and no folder lost', async () => {
      await copy(name)
      const before = await readdir(data)
      const store = storage.store()
      store.setBrokerEpoch(14n)
      await store.start()
      for (const [topic, expected] of await expectedTopics(name)) {
        for (const { p } of expected.partitions) await store.open({ topic, partition: p }, optionsOf(expected))
      }
      await store.close()
      const after = await readdir(data)
      for (const entry of before) if (!entry.endsWith('-delete')) expect(after).toContain(entry)
      expect(after).not.toContain('.lock')
      expect(await readFile(join(data, '.kafka_cleanshutdown'), 'utf8').catch(() => null)).toBe(
        // the metadata log of the crashed one was not opened, and so not recovered
        name === 'crashed' ? null : '{"version":0,"brokerEpoch":14}',
      )
      if (name === 'crashed') return
      for (const file of [
        'recovery-point-offset-checkpoint',
        'replication-offset-checkpoint',
        'log-start-offset-checkpoint',
      ]) {
        const lines = async (folder: string) =>
          (await readFile(join(folder, file), 'utf8').catch(() => '')).split('\n').filter(Boolean).sort()
        const kafkas = await lines(join(golden, name, 'data'))
        expect([file, await lines(data)]).toEqual([file, kafkas.length === 0 ? ['0', '0'] : kafkas])
      }
      for (const folder of before.filter((entry) => /-\d+$/.test(entry) && entry !== '__cluster_metadata-0')) {
        for (const file of await readdir(join(golden, name, 'data', folder))) {
          const kafkas = await readFile(join(golden, name, 'data', folder, file))
          expect([folder, file, await readFile(join(data, folder, file))]).toEqual([folder, file, kafkas])
        }
      }
    })

    it('has the index entries that we would have made', async () => {
      await copy(name)
      const context = storageContext(storage)
      for (const [topic, expected] of await expectedTopics(name)) {
        const { indexIntervalBytes } = optionsOf(expected)
        for (const { p } of expected.partitions) {
          const folder = join(data, `${topic}-${p}`)
          for (const file of (await readdir(folder)).filter((entry) => entry.endsWith('.log'))) {
            const base = file.slice(0, 20)
            const index = await readFile(join(folder, `${base}.index`)).catch(() => null)
            // preallocated, cut or removed by hand: recovery has to make it
            if (index === null || index.byteLength > 1000 || index.byteLength % 8 !== 0) continue
            const { size } = await stat(join(folder, file))
            const segment = new FileSegment(context, folder, BigInt(base), size, indexIntervalBytes)
            const { indexes, problem, epochs } = await segment.scan(true)
            expect([file, problem]).toEqual([file, null])
            expect([folder, base, Buffer.from(indexes.offset.bytes())]).toEqual([folder, base, index])
            const time = await readFile(join(folder, `${base}.timeindex`))
            const ours = Buffer.from(indexes.time.bytes())
            // a stop in the middle of a segment adds an entry; the broker that wrote two epochs stopped between them
            if (epochs.length === 1) expect([folder, base, ours]).toEqual([folder, base, time])
            else expect(timeEntries(time)).toEqual(expect.arrayContaining(timeEntries(ours)))
          }
        }
      }
      await context.files.close()
    })
  })

  describe('the crashed one', () => {
    const open = async (topic: string) => {
      const store = storage.store()
      await store.start()
      const expected = (await expectedTopics('crashed')).find(([known]) => known === topic)![1]
      const log = await store.open({ topic, partition: 0 }, optionsOf(expected))
      return { store, log, files: join(data, `${topic}-0`) }
    }
    it.each([
      ['c-badcrc', 382, 191],
      ['c-midcrc', 191, 382],
      ['c-truncated', 412, 199],
      ['c-garbage', 588, 99],
      ['c-zeros', 558, 300],
    ])('%s keeps %d bytes of its last segment and says that %d were cut', async (topic, keptBytes, cutBytes) => {
      await copy('crashed')
      const { store, files } = await open(topic)
      expect((await stat(join(files, '00000000000000000045.log'))).size).toBe(keptBytes)
      const recovered = storage.events.filter(({ level, event }) => level === 'info' && event === 'recovered')
      expect(recovered).toEqual([expect.objectContaining({ fields: expect.objectContaining({ cutBytes }) })])
      await store.close()
    })
    it.each(['c-noindex', 'c-shortindex'])('%s gets the indexes again that Kafka had made', async (topic) => {
      await copy('crashed')
      const { store, files } = await open(topic)
      await store.close()
      for (const base of ['00000000000000000000', '00000000000000000015', '00000000000000000030']) {
        const { size } = await stat(join(files, `${base}.index`))
        expect([base, size, (await stat(join(files, `${base}.timeindex`))).size]).toEqual([base, 16, 24])
      }
      expect(storage.events.filter(({ level }) => level === 'warn' || level === 'error')).toMatchObject([
        { event: 'not stopped cleanly' },
      ])
    })
    it('is not cut below its recovery point: that log stays offline, the others serve', async () => {
      await copy('crashed')
      const { store } = await open('c-intact')
      await store.close()
      // a checkpoint as Kafka would have written it after a flush
      await writeFile(join(data, 'recovery-point-offset-checkpoint'), '0\n1\nc-midcrc 0 60\n')
      await expect(open('c-midcrc')).rejects.toThrow(StorageError)
      expect((await stat(join(data, 'c-midcrc-0', '00000000000000000045.log'))).size).toBe(573)
    })
  })

  it('survives the loss of everything that can be made again', async () => {
    await copy('basic-clean')
    for (const file of await readdir(data)) if (file.endsWith('-checkpoint')) await rm(join(data, file))
    const folders = (await readdir(data)).filter((entry) => /-\d+$/.test(entry))
    for (const folder of folders) {
      for (const file of await readdir(join(data, folder))) {
        if (/(index|leader-epoch-checkpoint)$/.test(file)) await rm(join(data, folder, file))
      }
    }
    const store = storage.store()
    await store.start()
    for (const [topic, expected] of await expectedTopics('basic-clean')) {
      for (const { p, endOffset, startLeaderEpoch } of expected.partitions) {
        const log = await store.open({ topic, partition: p }, optionsOf(expected))
        expect(log.range().end).toBe(BigInt(endOffset))
        if (log.range().end > 0n) expect(log.leaderEpochs()[0]?.epoch).toBe(startLeaderEpoch)
        await allBatches(log)
      }
    }
    await store.close()
  })
})
