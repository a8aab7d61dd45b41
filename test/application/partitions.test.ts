import { describe, expect, it } from '@jest/globals'
import type { AppendResult } from '../../src/application/append-result.ts'
import type { HostedPartition } from '../../src/application/hosted-partition.ts'
import type { LogSlice } from '../../src/application/ports/log-store.ts'
import { buildBatch, type NewBatch } from '../../src/domain/log/batch-writer.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { readRecords } from '../../src/domain/log/record.ts'
import { openProduceBroker, testLease, topicRecords, type ProduceBrokerOptions } from '../support/produce-broker.ts'
import { StallingLogStore, settle } from '../support/stalling-log-store.ts'
import { testChecksum } from '../support/stored-batches.ts'

const ID = 'dG9waWMtaWQtZm9yLXRlc3'
const NOW = 1_700_000_000_000n
const topic = { name: 't', id: ID, partitions: 2 }
const whole = { bytesMax: 1 << 20, atLeastOne: true }

function batch(count = 1, framing: NewBatch = {}, value = Uint8Array.of(1)): RecordBatchView {
  const records = Array.from({ length: count }, (_, i) => ({ key: null, value, timestamp: NOW + BigInt(i) }))
  return new RecordBatchView(buildBatch(records, framing, (bytes) => testChecksum.crc32c(bytes)))
}

function append(partition: HostedPartition, view: RecordBatchView, results: AppendResult[] = [], lease = testLease()) {
  partition.append({ batch: view, origin: 'client', lease, acksAll: true }, (result) => results.push(result))
  return lease
}

async function open(options: ProduceBrokerOptions = {}, topics = [topic]) {
  const logStore = new StallingLogStore()
  const broker = await openProduceBroker(topics, { logStore, ...options })
  return { ...broker, store: (options.logStore ?? logStore) as StallingLogStore }
}

async function offsetsIn(slice: LogSlice | Promise<LogSlice>): Promise<bigint[]> {
  const { chunks } = await slice
  return chunks.flatMap((chunk) => {
    const view = new RecordBatchView(chunk)
    return [...readRecords(view, view.records())].map(({ offset }) => offset)
  })
}

describe('a partition', () => {
  it('writes what queued up during a write as one append, and shows it when it is written', async () => {
    const { partitions, store, advanced } = await open()
    const partition = partitions.find('t', 0)!
    await partition.whenOpen()
    store.stallAppend = true
    const results: AppendResult[] = []
    append(partition, batch(2), results)
    await settle()
    for (let i = 0; i < 3; i++) append(partition, batch(2), results)
    expect([results.length, partition.highWatermark, store.appends]).toEqual([0, 0n, [[0n]]])
    await store.releaseOne()
    expect([results.length, partition.highWatermark, store.appends]).toEqual([1, 2n, [[0n], [2n, 4n, 6n]]])
    await store.releaseOne()
    expect(results.map(({ error, baseOffset }) => [error, baseOffset])).toEqual(
      [0n, 2n, 4n, 6n].map((o) => ['NONE', o]),
    )
    expect(partition.highWatermark).toBe(8n)
    expect(advanced).toEqual([partition, partition])
    const stamped = new RecordBatchView((await partition.read(2n, whole, 'read committed')).chunks[0]!)
    expect([stamped.baseOffset, stamped.leaderEpoch]).toEqual([2n, 3])
  })

  it('writes what came in one turn as one append', async () => {
    const { partitions, store } = await open()
    const partition = partitions.find('t', 0)!
    await partition.whenOpen()
    const results: AppendResult[] = []
    for (let i = 0; i < 3; i++) append(partition, batch(2), results)
    await settle()
    expect(store.appends).toEqual([[0n, 2n, 4n]])
    expect(results.map(({ baseOffset }) => baseOffset)).toEqual([0n, 2n, 4n])
  })

  it('keeps the order of what came before it was open', async () => {
    const { partitions, store } = await open()
    store.stallOpen = true
    const partition = partitions.find('t', 1)!
    const results: AppendResult[] = []
    for (let i = 1; i <= 3; i++) append(partition, batch(i), results)
    await settle()
    expect([partition.state, results.length]).toEqual(['opening', 0])
    await store.release()
    expect(results.map(({ baseOffset }) => baseOffset)).toEqual([0n, 1n, 3n])
  })

  it('answers a duplicate only when the batch that it repeats is written', async () => {
    const { partitions, store } = await open()
    const partition = partitions.find('t', 0)!
    await partition.whenOpen()
    store.stallAppend = true
    const framing = { producerId: 1n, producerEpoch: 0, baseSequence: 0 }
    const results: AppendResult[] = []
    append(partition, batch(2, framing), results)
    append(partition, batch(2, framing), results)
    append(partition, batch(1, { ...framing, baseSequence: 3 }), results)
    expect(results.map(({ error }) => error)).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER'])
    await store.release()
    expect(results.slice(1)).toMatchObject([
      { error: 'NONE', baseOffset: 0n, logAppendTimeMs: -1n },
      { error: 'NONE', baseOffset: 0n, logAppendTimeMs: NOW + 1n },
    ])
    expect(partition.highWatermark).toBe(2n)
  })

  it('goes offline for good when a write fails, and says so once', async () => {
    const { partitions, store, logged, advanced } = await open()
    const partition = partitions.find('t', 0)!
    await partition.whenOpen()
    const results: AppendResult[] = []
    append(partition, batch(), results)
    await settle()
    store.failAppend = store.stallAppend = true
    const framing = { producerId: 1n, producerEpoch: 0, baseSequence: 0 }
    const leases = [append(partition, batch(1, framing), results), append(partition, batch(1, framing), results)]
    leases.push(append(partition, batch(), results))
    await store.release()
    leases.push(append(partition, batch(), results))
    expect(results.map(({ error }) => error)).toEqual(['NONE', ...Array<string>(4).fill('KAFKA_STORAGE_ERROR')])
    expect([partition.state, partition.highWatermark, leases.map(({ held }) => held)]).toEqual([
      'offline',
      1n,
      [1, 1, 1, 1],
    ])
    expect(logged.filter(({ event }) => event === 'partition offline')).toHaveLength(1)
    expect(advanced.at(-1)).toBe(partition)
    expect(() => partition.read(0n, whole, 'read committed')).toThrow('offline')
    expect(await partition.trim(1n)).toBe('KAFKA_STORAGE_ERROR')
    await partitions.close()
  })

  it('refuses what lacks in-sync replicas, only when all are to acknowledge', async () => {
    const { partitions, metadata } = await open({}, [{ ...topic, configs: { 'min.insync.replicas': '2' } } as never])
    const image = metadata.image().topicsByName.get('t')!.partitions[0]!
    const partition = partitions.find('t', 0)!
    await partition.whenOpen()
    partition.image = { ...image, replicas: [1, 2], isr: [1] }
    const results: AppendResult[] = []
    append(partition, batch(), results)
    partition.append({ batch: batch(), origin: 'client', lease: undefined, acksAll: false }, (r) => results.push(r))
    await settle()
    expect(results).toMatchObject([
      { error: 'NOT_ENOUGH_REPLICAS', logStartOffset: 0n },
      { error: 'NONE', baseOffset: 0n },
    ])
  })

  it.each([
    ['gzip', 'none'],
    ['uncompressed', 'gzip'],
    ['zstd', 'lz4'],
  ] as const)('stores %s what came as %s', async (compressionType, codec) => {
    const { partitions } = await open({}, [{ ...topic, configs: { 'compression.type': compressionType } } as never])
    const { CodecCompressor } = await import('../../src/adapters/compression/codec-compressor.ts')
    const compressor = new CodecCompressor()
    const compress = codec === 'none' ? {} : { compress: (bytes: Uint8Array) => compressor.compress(codec, bytes) }
    const partition = partitions.find('t', 0)!
    const lease = append(partition, batch(3, { codec, ...compress }))
    await partition.whenOpen()
    await settle()
    const view = new RecordBatchView((await partition.read(0n, whole, 'read committed')).chunks[0]!)
    expect([view.codec, view.crc]).toEqual([
      compressionType === 'uncompressed' ? 'none' : compressionType,
      testChecksum.crc32c(view.checksummed()),
    ])
    const stored =
      view.codec === 'none' ? view.records() : compressor.decompress(view.codec as 'gzip', view.records(), 1000)
    expect([...readRecords(view, stored)].map(({ offset, timestamp }) => [offset, timestamp])).toEqual(
      [0n, 1n, 2n].map((i) => [i, NOW + i]),
    )
    // The bytes are new, so the frame is not kept.
    expect(lease.held).toBe(1)
    expect(await partition.offsetForTimestamp(NOW + 1n, 'read uncommitted')).toEqual({
      offset: 1n,
      timestamp: NOW + 1n,
      leaderEpoch: 3,
    })
    expect(await partition.offsetOfMaxTimestamp()).toMatchObject({ offset: 2n })
  })
})

describe('the tail', () => {
  it('is served from the frames that producers sent, which are held as long as somebody needs them', async () => {
    const { partitions, store } = await open()
    const partition = partitions.find('t', 0)!
    await partition.whenOpen()
    const view = batch(2)
    const lease = append(partition, view)
    append(partition, batch(2))
    await settle()
    const slice = partition.read(1n, whole, 'read uncommitted') as LogSlice
    expect(slice.chunks[0]).toBe(view.bytes)
    // The store in memory holds the frame as well.
    expect([slice.nextOffset, store.reads, lease.held]).toEqual([4n, 0, 4])
    slice.release()
    expect(lease.held).toBe(3)
    await partitions.close()
    expect(lease.held).toBe(2)
  })

  it('respects limits, and never skips what it does not hold', async () => {
    const { partitions, store } = await open({ settings: { tailCacheBytesMax: 1900 } })
    const partition = partitions.find('t', 0)!
    const other = partitions.find('t', 1)!
    await Promise.all([partition.whenOpen(), other.whenOpen()])
    const leases = []
    for (let i = 0; i < 12; i++) {
      leases.push(append(i % 3 === 2 ? other : partition, batch(2)))
      await settle()
    }
    expect(leases.map(({ held }) => held)).toEqual([...Array<number>(9).fill(2), 3, 3, 3])
    for (let from = 0n; from <= 16n; from++) {
      const offsets = await offsetsIn(partition.read(from, { bytesMax: 1, atLeastOne: true }, 'read uncommitted'))
      expect(offsets[0]).toBe(from === 16n ? undefined : from - (from % 2n))
    }
    const before = store.reads
    const bytes = batch(2).bytes.length
    const limits = { bytesMax: bytes * 2 - 1, atLeastOne: false }
    expect(await offsetsIn(partition.read(12n, limits, 'read uncommitted'))).toEqual([12n, 13n])
    expect(await offsetsIn(partition.read(12n, { bytesMax: 1, atLeastOne: false }, 'read uncommitted'))).toEqual([])
    expect(store.reads).toBe(before)
  })
})

describe('the write queue', () => {
  it('makes new requests wait past its bound, and lets them in in order', async () => {
    const { partitions, produceRecords, store } = await open({ settings: { writeQueueBytesMax: 100 } })
    await partitions.find('t', 0)!.whenOpen()
    store.stallAppend = true
    const order: bigint[] = []
    const asked = [0, 1, 2].map(async () => {
      const plain = { transactionalId: null, addsPartitions: true, knowsAbortable: true }
      const command = { acks: 1, byId: false, zstd: true, clientId: null, lease: testLease(), ...plain }
      const topics = [
        { name: 't', topicId: ID, partitions: [{ index: 0, records: batch(1, {}, new Uint8Array(99)).bytes }] },
      ]
      const produced = await produceRecords.execute({ ...command, topics })
      order.push(produced[0]!.partitions[0]!.result.baseOffset)
    })
    await settle()
    expect([store.appends, partitions.budget.bytes]).toEqual([[[0n]], 169])
    await store.releaseOne()
    expect(store.appends).toEqual([[0n], [1n]])
    await store.release()
    await Promise.all(asked)
    expect([order, partitions.budget.bytes]).toEqual([[0n, 1n, 2n], 0])
  })
})

describe('partitions', () => {
  it('know their producers after a restart, without reading a record after a clean stop', async () => {
    const store = new StallingLogStore()
    const framing = { producerId: 5n, producerEpoch: 0, baseSequence: 0 }
    const first = await open({ logStore: store })
    append(first.partitions.find('t', 0)!, batch(2, framing))
    await first.partitions.find('t', 0)!.whenOpen()
    await first.partitions.close()
    const second = await open({ logStore: store })
    const results: AppendResult[] = []
    const again = second.partitions.find('t', 0)!
    append(again, batch(2, framing), results)
    append(again, batch(1, { ...framing, baseSequence: 2 }), results)
    await again.whenOpen()
    await settle()
    expect([results.map(({ baseOffset }) => baseOffset), store.reads]).toEqual([[0n, 2n], 0])
    // No clean stop this time: the batch after the snapshot is read.
    const third = await open({ logStore: store })
    append(third.partitions.find('t', 0)!, batch(1, { ...framing, baseSequence: 2 }), results)
    await third.partitions.find('t', 0)!.whenOpen()
    await settle()
    expect(results.map(({ baseOffset }) => baseOffset)).toEqual([0n, 2n, 2n])
    expect(store.reads).toBeGreaterThan(0)
  })

  it('roll with the producer states of the moment', async () => {
    const { partitions, clock, logStore } = await open({}, [{ ...topic, configs: { 'segment.ms': '1000' } } as never])
    const partition = partitions.find('t', 0)!
    const framing = { producerId: 5n, producerEpoch: 0, baseSequence: 0 }
    append(partition, batch(2, framing))
    await partition.whenOpen()
    await settle()
    clock.advance(5000)
    const late = { key: null, value: null, timestamp: NOW + 5000n }
    append(partition, new RecordBatchView(buildBatch([late], {}, (bytes) => testChecksum.crc32c(bytes))))
    await settle()
    const log = await logStore.open(partition.topicPartition, { topicId: ID } as never)
    const snapshot = await log.loadSnapshot(3n)
    expect([snapshot?.offset, snapshot?.bytes.length]).toEqual([2n, 56])
  })

  it('follow the image: created at once, deleted with their log, made anew under the same name', async () => {
    const { partitions, commit, logStore, advanced } = await open()
    const results: AppendResult[] = []
    const old = partitions.find('t', 0)!
    append(old, batch(), results)
    await old.whenOpen()
    await settle()
    await commit([{ type: 'RemoveTopicRecord', topicId: ID }])
    expect([partitions.find('t', 0), partitions.findById(ID, 0)]).toEqual([null, 'UNKNOWN_TOPIC_ID'])
    const other = 'b3RoZXItaWQtZm9yLXRlc3'
    await commit(topicRecords({ ...topic, id: other }))
    await settle()
    const fresh = partitions.find('t', 0)!
    expect([fresh.topicId, fresh.state, fresh.highWatermark, old.state]).toEqual([other, 'open', 0n, 'closed'])
    expect((await logStore.list()).map(({ topicId }) => topicId)).toEqual([other, other])
    append(old, batch(), results)
    expect(results.at(-1)!.error).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(advanced).toContain(old)
  })

  it('tell when the logs of a deleted topic are out of use', async () => {
    const store = new StallingLogStore()
    const { partitions, commit } = await open({ logStore: store })
    await partitions.find('t', 0)!.whenOpen()
    store.stallDelete = true
    await commit([{ type: 'RemoveTopicRecord', topicId: ID }])
    let removed = false
    const told = partitions.whenRemoved(ID).then(() => (removed = true))
    await settle()
    expect(removed).toBe(false)
    await store.release()
    await told
    expect(await store.list()).toEqual([])
    await partitions.whenRemoved(ID)
  })

  it('take new configs with the next append', async () => {
    const { partitions, commit } = await open()
    const partition = partitions.find('t', 0)!
    await partition.whenOpen()
    const config = {
      type: 'ConfigRecord',
      resourceType: 2,
      resourceName: 't',
      name: 'max.message.bytes',
      value: '10',
    } as const
    await commit([config])
    const results: AppendResult[] = []
    append(partition, batch(), results)
    expect(results).toMatchObject([{ error: 'MESSAGE_TOO_LARGE' }])
  })

  it('leave alone, and report, what the image does not know', async () => {
    const store = new StallingLogStore()
    const first = await open({ logStore: store })
    await first.partitions.find('t', 0)!.whenOpen()
    await first.partitions.close()
    const second = await open({ logStore: store }, [])
    expect(second.logged).toMatchObject([{ event: 'log without topic', fields: { topic: 't', partition: 0 } }])
    expect(await store.list()).toHaveLength(1)
  })

  it('make room for a topic whose name an unknown log bears: a deletion that a crash cut short', async () => {
    const store = new StallingLogStore()
    const first = await open({ logStore: store })
    append(first.partitions.find('t', 0)!, batch())
    await settle()
    await first.partitions.close()
    const other = 'b3RoZXItaWQtZm9yLXRlc3'
    const second = await open({ logStore: store }, [{ ...topic, id: other }])
    const partition = second.partitions.find('t', 0)!
    await partition.whenOpen()
    expect([partition.state, partition.highWatermark]).toEqual(['open', 0n])
  })

  it('end with all that was accepted written, and no timer left', async () => {
    const { partitions, store, clock } = await open()
    const partition = partitions.find('t', 0)!
    await partition.whenOpen()
    store.stallAppend = true
    const results: AppendResult[] = []
    append(partition, batch(), results)
    append(partition, batch(), results)
    const closed = partitions.close()
    await store.release()
    await closed
    expect([results.map(({ error }) => error), clock.pending]).toEqual([['NONE', 'NONE'], 0])
    expect(partitions.find('t', 0)).toBeNull()
  })
})
