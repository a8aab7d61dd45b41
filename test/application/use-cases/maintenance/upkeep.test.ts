/** Retention and compaction over a broker in memory, against what they promise: no socket, no file, a manual clock. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { CodecCompressor } from '../../../../src/adapters/compression/codec-compressor.ts'
import { MemoryLogStore } from '../../../../src/adapters/storage-memory/memory-log-store.ts'
import { Crc32cChecksum } from '../../../../src/adapters/system/crc32c-checksum.ts'
import { ManualClock } from '../../../../src/adapters/system/manual-clock.ts'
import type { HostedPartition } from '../../../../src/application/hosted-partition.ts'
import { ApplyRetention } from '../../../../src/application/use-cases/maintenance/apply-retention.ts'
import { CompactLogs } from '../../../../src/application/use-cases/maintenance/compact-logs.ts'
import { buildBatch } from '../../../../src/domain/log/batch-writer.ts'
import { RecordBatchView, type BatchCodec } from '../../../../src/domain/log/record-batch.ts'
import { readRecords } from '../../../../src/domain/log/record.ts'
import { openProduceBroker } from '../../../support/produce-broker.ts'
import { batchesIn, recordBatch, utf8 } from '../../../support/records.ts'

const startMs = 1_700_000_000_000n
const HOUR = 3_600_000n
const compressor = new CodecCompressor()
const checksum = new Crc32cChecksum()

interface Entry {
  readonly key: string | null
  readonly value: string | null
}

async function openTopic(
  configs: Readonly<Record<string, string>>,
  settings: { readonly dedupeBytes?: number; readonly bytesPerSecond?: number } = {},
) {
  const broker = await openProduceBroker(
    [{ name: 't', id: 'dG9waWMtaWQtZm9yLXRlc3', configs: { 'segment.ms': String(HOUR), ...configs } }],
    { logStore: new MemoryLogStore(), startMs },
  )
  const { clock, partitions } = broker
  const logged: string[] = []
  const log = (event: string): void => void logged.push(event)
  const logger = { debug: log, info: log, warn: log, error: log }
  const partition = partitions.find('t', 0)!
  await partition.whenOpen()
  const compact = new CompactLogs(
    { partitions, clock, timers: clock, random: { integer: () => 7 }, checksum, compressor, logger },
    () => ({
      logCleanerBackoffMs: 100,
      logCleanerDedupeBufferSize: settings.dedupeBytes ?? 1 << 20,
      logCleanerIoBufferSize: 524_288,
      logCleanerIoBufferLoadFactor: 0.9,
      logCleanerIoMaxBytesPerSecond: settings.bytesPerSecond ?? Number.MAX_VALUE,
    }),
  )
  const retain = new ApplyRetention(partitions, clock, clock, logger, () => ({
    logRetentionCheckIntervalMs: 60_000,
    logInitialTaskDelayMs: 1000,
  }))
  return { ...broker, logged, partition, compact, retain }
}

async function append(
  partition: HostedPartition,
  entries: readonly Entry[],
  timestamp: bigint,
  codec: BatchCodec = 'none',
): Promise<void> {
  const records = entries.map(({ key, value }) => ({
    key: key === null ? null : utf8(key),
    value: value === null ? null : utf8(value),
    timestamp,
  }))
  const result = await new Promise<{ readonly error?: unknown }>((resolve) => {
    const batch = new RecordBatchView(recordBatch(records, { codec }))
    partition.append({ batch, origin: 'client', lease: undefined, acksAll: true }, resolve)
  })
  expect(result).toMatchObject({ error: 'NONE' })
}

async function content(partition: HostedPartition) {
  const limits = { bytesMax: 1 << 30, atLeastOne: true }
  const slice = await partition.read(partition.logStartOffset, limits, 'read uncommitted')
  const bytes = Buffer.concat(slice.chunks)
  slice.release()
  return [...batchesIn(bytes)].flatMap((batch) => {
    const codec = batch.codec!
    const section = codec === 'none' ? batch.records() : compressor.decompress(codec, batch.records(), 1 << 28)
    return [...readRecords(batch, section)].map(({ offset, timestamp, key, value }) => ({
      offset,
      timestamp,
      key: key === null ? null : Buffer.from(key).toString(),
      value: value === null ? null : Buffer.from(value).toString(),
    }))
  })
}

const bases = (partition: HostedPartition) =>
  partition
    .upkeep()!
    .log.segments()
    .map(({ baseOffset }) => Number(baseOffset))

describe('CompactLogs', () => {
  const compacted = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' }

  it('leaves of each key the newest record below the active segment, wherever rounds fall and memory ends', async () => {
    const key = fc.integer({ min: 0, max: 12 }).map((n) => `key ${n}`)
    const entry = fc.record({ key, value: fc.option(fc.string({ maxLength: 30 }), { freq: 5 }) })
    const batch = fc.record({
      entries: fc.array(entry, { minLength: 1, maxLength: 8 }),
      codec: fc.constantFrom<BatchCodec>('none', 'gzip', 'lz4', 'zstd', 'snappy'),
      rolls: fc.boolean(),
      round: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    })
    // 24 bytes a key: from room for one or two to room for all
    const room = fc.integer({ min: 1, max: 20 })
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { maxLength: 30 }), room, async (batches, keys) => {
        const { partition, compact } = await openTopic(compacted, { dedupeBytes: keys * 24 })
        const model: (Entry & { readonly offset: bigint; readonly timestamp: bigint })[] = []
        let timestamp = startMs - 1000n * HOUR
        for (const { entries, codec, rolls, round } of batches) {
          if (rolls) timestamp += 2n * HOUR
          for (const each of entries) model.push({ ...each, offset: BigInt(model.length), timestamp })
          await append(partition, entries, timestamp, codec)
          if (round) await compact.execute()
        }
        while (await compact.execute());
        const active = BigInt(bases(partition).at(-1)!)
        const newest = new Map(model.filter(({ offset }) => offset < active).map((each) => [each.key, each.offset]))
        const expected = model.filter(({ key: k, offset }) => offset >= active || newest.get(k) === offset)
        const found = await content(partition)
        expect(found).toEqual(expected)
        expect(partition.highWatermark).toBe(BigInt(model.length))
      }),
      { numRuns: Number(process.env['RUNS'] ?? 60) },
    )
  })

  it('keeps tombstones until their horizon has passed', async () => {
    const { partition, compact, clock } = await openTopic({ ...compacted, 'delete.retention.ms': '5000' })
    const old = startMs - 100n * HOUR
    await append(
      partition,
      [
        { key: 'a', value: '1' },
        { key: 'a', value: null },
        { key: 'b', value: '2' },
      ],
      old,
    )
    await append(partition, [{ key: 'c', value: '3' }], old + 2n * HOUR)
    expect(await compact.execute()).toBe(true)
    expect((await content(partition)).map(({ key, timestamp }) => [key, timestamp])).toEqual([
      ['a', old],
      ['b', old],
      ['c', old + 2n * HOUR],
    ])
    expect(await compact.execute()).toBe(false)
    clock.advance(5001)
    await append(partition, [{ key: 'd', value: '4' }], old + 4n * HOUR)
    clock.advance(0)
    const round = compact.execute()
    for (let i = 0; i < 200; i++) {
      await Promise.resolve()
      clock.advance(0)
    }
    expect(await round).toBe(true)
    expect((await content(partition)).map(({ offset, key }) => [offset, key])).toEqual([
      [2n, 'b'],
      [3n, 'c'],
      [4n, 'd'],
    ])
  })

  it.each<[string, Readonly<Record<string, string>>, boolean]>([
    ['a dirty part that is too small', { 'min.cleanable.dirty.ratio': '1' }, false],
    ['… unless it has waited too long', { 'min.cleanable.dirty.ratio': '1', 'max.compaction.lag.ms': '1000' }, true],
    ['records that are too young', { 'min.compaction.lag.ms': String(1000n * HOUR) }, false],
    ['… which are old enough now', { 'min.compaction.lag.ms': String(90n * HOUR) }, true],
    ['another policy', { 'cleanup.policy': 'delete', 'retention.ms': '-1' }, false],
  ])('minds %s', async (_, configs, expected) => {
    const { partition, compact } = await openTopic({ ...compacted, ...configs })
    const old = startMs - 100n * HOUR
    await append(partition, [{ key: 'a', value: '1' }], old)
    await append(partition, [{ key: 'a', value: '2' }], old + 2n * HOUR)
    expect(await compact.execute()).toBe(expected)
  })

  it('reads and writes as many bytes a second as log.cleaner.io.max.bytes.per.second allows', async () => {
    const bytesPerSecond = 50_000
    const { partition, compact, clock } = await openTopic(compacted, { bytesPerSecond })
    const value = 'v'.repeat(20_000)
    for (let i = 0; i < 20; i++) await append(partition, [{ key: `key ${i % 10}`, value }], startMs - 2n * HOUR)
    await append(partition, [{ key: 'active', value: '' }], startMs)
    const before = partition.upkeep()!.log.sizeBytes()
    const began = clock.monotonicMs()
    let done = false
    const round = compact.execute().finally(() => (done = true))
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve))
      if (clock.pending > 0) clock.advance(10)
    }
    expect(await round).toBe(true)
    // all of it is read twice, and the half that stays is written
    const seconds = (clock.monotonicMs() - began) / 1000
    expect(seconds / ((2.5 * before) / bytesPerSecond)).toBeCloseTo(1, 1)
  })

  it('leaves a log with a damaged batch as it is, says so once, and does the others', async () => {
    const { partition, compact, logged } = await openTopic(compacted)
    const bad = buildBatch([{ key: utf8('k'), value: utf8('v'), timestamp: 1n }], { baseOffset: 0n }, () => 12)
    const { log } = partition.upkeep()!
    const facts = { baseOffset: 0n, lastOffset: 0n, maxTimestamp: 1n, leaderEpoch: 0 }
    await log.append(0n, [{ bytes: bad, ...facts }])
    await log.roll(1n, null)
    const size = log.sizeBytes()
    const upkeep = partition.upkeep()!
    Object.defineProperty(upkeep, 'lastStableOffset', { value: 1n })
    partition.upkeep = () => upkeep
    expect(await compact.execute()).toBe(false)
    expect(await compact.execute()).toBe(false)
    expect(logged.filter((event) => event === 'log not compacted any more')).toHaveLength(1)
    expect(log.sizeBytes()).toBe(size)
  })
})

describe('ApplyRetention', () => {
  const fill = async (partition: HostedPartition) => {
    for (let i = 0; i < 5; i++) {
      await append(partition, [{ key: 'k', value: 'x'.repeat(100) }], startMs - 100n * HOUR + BigInt(i) * 10n * HOUR)
    }
  }

  it.each<[string, Readonly<Record<string, string>>, number[]]>([
    ['nothing without limits', { 'retention.ms': '-1' }, [0, 1, 2, 3, 4]],
    ['segments whose newest record is too old', { 'retention.ms': String(75n * HOUR) }, [3, 4]],
    ['all of them, the active one too, when all are', { 'retention.ms': '1000' }, [5]],
    ['segments that are too many bytes', { 'retention.ms': '-1', 'retention.bytes': '400' }, [2, 3, 4]],
    ['nothing under a policy of neither kind', { 'retention.ms': '1000', 'cleanup.policy': '' }, [0, 1, 2, 3, 4]],
  ])('takes %s', async (_, configs, expected) => {
    const { partition, retain } = await openTopic(configs)
    await fill(partition)
    await retain.execute()
    expect(bases(partition)).toEqual(expected)
    expect(partition.logStartOffset).toBe(BigInt(expected[0]!))
    expect(partition.highWatermark).toBe(5n)
    await append(partition, [{ key: 'k', value: 'after' }], startMs)
    expect((await content(partition)).at(-1)).toMatchObject({ offset: 5n, value: 'after' })
  })

  it('keeps what is from the future', async () => {
    const { partition, retain } = await openTopic({ 'retention.ms': '1000' })
    await append(partition, [{ key: 'k', value: 'x' }], startMs + 10n)
    await retain.execute()
    expect(bases(partition)).toEqual([0])
  })

  it('comes to topics that compact and delete between rounds of compaction', async () => {
    const { partition, retain, compact } = await openTopic({
      'cleanup.policy': 'compact,delete',
      'retention.ms': String(75n * HOUR),
      'min.cleanable.dirty.ratio': '1',
    })
    await fill(partition)
    await retain.execute()
    expect(bases(partition)).toEqual([0, 1, 2, 3, 4])
    await compact.execute()
    expect(bases(partition)).toEqual([3, 4])
  })

  it('runs from time to time, until it is closed', async () => {
    const clock = new ManualClock(startMs)
    let passes = 0
    const partitions = {
      upkept: () => {
        passes++
        return []
      },
    }
    const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
    const task = new ApplyRetention(partitions, clock, clock, silent, () => ({
      logRetentionCheckIntervalMs: 60_000,
      logInitialTaskDelayMs: 1000,
    }))
    const turn = async (ms: number) => {
      clock.advance(ms)
      for (let i = 0; i < 20; i++) await Promise.resolve()
    }
    task.start()
    await turn(999)
    expect(passes).toBe(0)
    await turn(1)
    expect(passes).toBe(1)
    await turn(60_000)
    expect(passes).toBe(2)
    await task.close()
    expect(clock.pending).toBe(0)
    await turn(600_000)
    expect(passes).toBe(2)
  })
})
