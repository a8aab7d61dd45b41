/**
 * One directory of a real Kafka, compacted by it and by us: what is left must be the same, batch by batch, and Kafka's
 * own tools must find nothing wrong with what we left.
 */
import { expect, it } from '@jest/globals'
import { cp, readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { ConfigResourceTypes, Kafka, logLevel, type Admin } from 'kafkajs'
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { createBroker } from '../../src/bootstrap/create-broker.ts'
import type { NewRecord } from '../../src/domain/log/batch-writer.ts'
import type { BatchCodec, RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { readRecords } from '../../src/domain/log/record.ts'
import { RealKafka, describeWithKafka, kafkaProperties, dumpLogSegments } from '../support/real-kafka.ts'
import { batchesIn, produceBatch, recordBatch, utf8 } from '../support/records.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

const HOUR = 3_600_000n
/** Long past, so that everything is old enough for everything. */
const begin = 1_700_000_000_000n
const now = BigInt(Date.now())
const codecs: readonly BatchCodec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const compressor = new CodecCompressor()
const extra = {
  'log.cleaner.backoff.ms': '100',
  'log.cleaner.dedupe.buffer.size': '2097152',
  'log.initial.task.delay.ms': '600000',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  'group.initial.rebalance.delay.ms': '0',
}
/** A round over each topic that is due at once; nothing before `compacted` is altered to it. */
const topicConfigs = {
  'segment.ms': String(HOUR),
  'min.cleanable.dirty.ratio': '0.01',
  'retention.ms': '-1',
  'message.timestamp.after.max.ms': '9223372036854775807',
}

interface Topic {
  readonly name: string
  readonly configs: Readonly<Record<string, string>>
  readonly fill: (client: WireClient, topic: string) => Promise<void>
}

/** Batches of a pseudo-random walk over a few keys, with tombstones, each hour a segment. */
function walk(codec: BatchCodec, producerId: bigint, seed: number) {
  return async (client: WireClient, topic: string): Promise<void> => {
    let state = seed
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % below
    }
    let sequence = 0
    for (let segment = 0; segment < 6; segment++) {
      for (let b = 0; b < 4; b++) {
        const records: NewRecord[] = Array.from({ length: 1 + next(12) }, (_, i) => ({
          key: next(40) === 0 ? null : utf8(`k${next(segment < 3 ? 30 : 12)}`),
          value: next(6) === 0 ? null : utf8(`value ${segment} ${b} ${i} `.repeat(next(9))),
          timestamp: begin + BigInt(segment) * 2n * HOUR + BigInt(b * 1000 + next(3000)),
          headers: next(3) === 0 ? [{ key: utf8('h'), value: next(2) === 0 ? null : utf8('x') }] : [],
        }))
        const framed = producerId < 0n ? { codec } : { codec, producerId, producerEpoch: 0, baseSequence: sequence }
        sequence += records.length
        await send(client, topic, recordBatch(records, framed))
      }
    }
    // the active segment
    const last = { key: utf8('active'), value: utf8('x'), timestamp: begin + 20n * HOUR }
    await send(client, topic, recordBatch([last]))
  }
}

/** A topic that was just created has no leader yet. */
async function send(client: WireClient, topic: string, batch: Uint8Array): Promise<void> {
  for (;;) {
    const { errorCode } = await produceBatch(client, topic, 0, batch)
    if (errorCode === 0) return
    if (errorCode !== 3 && errorCode !== 6) throw new Error(`${topic}: ${errorCode}`)
  }
}

const nothing = async (): Promise<void> => undefined
const topics: readonly Topic[] = [
  ...codecs.map((codec, i) => ({ name: `c-${codec}`, configs: {}, fill: walk(codec, -1n, i + 1) })),
  { name: 'c-idempotent', configs: {}, fill: walk('none', 77n, 11) },
  {
    name: 'c-append-time',
    configs: { 'message.timestamp.type': 'LogAppendTime', 'segment.ms': '1' },
    fill: walk('lz4', -1n, 12),
  },
  { name: 'c-gone', configs: { 'delete.retention.ms': '0' }, fill: walk('zstd', 78n, 13) },
  { name: 'c-txn', configs: {}, fill: nothing },
]

describeWithKafka('compaction beside a real Kafka', () => {
  it('leaves what Kafka leaves, in a shape that Kafka trusts', async () => {
    const folder = temporaryFolder()
    try {
      const theirs = path.join(folder.path, 'theirs')
      const ours = path.join(folder.path, 'ours')
      const files = await kafkaProperties(path.join(folder.path, 'server.properties'), theirs, { extra })
      // a directory of ours: it is formatted already
      await asOurs(theirs, nothing)
      await asKafka(files, fill)
      await cp(theirs, ours, { recursive: true })
      for (let round = 1; round <= 2; round++) {
        await asKafka(files, (bootstrap) => compact(bootstrap, theirs, round))
        await asOurs(ours, (bootstrap) => compact(bootstrap, ours, round))
        for (const { name } of topics)
          expect([name, await content(ours, name)]).toEqual([name, await content(theirs, name)])
      }
      await trusted(ours)
    } finally {
      folder.remove()
    }
  }, 300_000)
})

async function asKafka(
  files: Awaited<ReturnType<typeof kafkaProperties>>,
  work: (bootstrap: string, port: number) => Promise<void>,
): Promise<void> {
  const kafka = await RealKafka.start(files)
  try {
    await work(files.bootstrap, files.port)
  } finally {
    await kafka.stop()
  }
}

async function asOurs(data: string, work: (bootstrap: string) => Promise<void>): Promise<void> {
  await using broker = await createBroker({ 'node.id': 1, 'log.dirs': data, ...extra }).start()
  const { host, port } = broker.address()
  await work(`${host}:${port}`)
}

async function withAdmin(bootstrap: string, work: (admin: Admin, kafka: Kafka) => Promise<void>): Promise<void> {
  const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 20 } })
  const admin = kafka.admin()
  await admin.connect()
  try {
    await work(admin, kafka)
  } finally {
    await admin.disconnect()
  }
}

async function fill(bootstrap: string, port: number): Promise<void> {
  await withAdmin(bootstrap, async (admin, kafka) => {
    await admin.createTopics({
      topics: topics.map(({ name, configs }) => ({
        topic: name,
        numPartitions: 1,
        configEntries: Object.entries({ ...topicConfigs, ...configs }).map(([key, value]) => ({ name: key, value })),
      })),
    })
    const client = await WireClient.connect('127.0.0.1', port)
    for (const { name, fill: fillTopic } of topics) await fillTopic(client, name)
    client.close()
    await fillTransactions(kafka)
  })
}

/** Committed and aborted transactions of two producers, side by side, each pair in its own segment. */
async function fillTransactions(kafka: Kafka): Promise<void> {
  const producers = ['a', 'b'].map((id) =>
    kafka.producer({ transactionalId: id, maxInFlightRequests: 1, idempotent: true, retry: { retries: 20 } }),
  )
  for (const producer of producers) await producer.connect()
  for (let round = 0; round < 8; round++) {
    const transactions = []
    for (const [i, producer] of producers.entries()) {
      const transaction = await producer.transaction()
      transactions.push(transaction)
      const messages = [0, 1, 2].map((n) => ({
        key: `k${(round + n) % 5}`,
        value: n === 2 && round % 3 === 0 ? null : `round ${round} ${i}`,
      }))
      await transaction.send({ topic: 'c-txn', messages })
    }
    for (const [i, transaction] of transactions.entries()) {
      if ((round + i) % 3 === 0) await transaction.abort()
      else await transaction.commit()
    }
  }
  for (const producer of producers) await producer.disconnect()
  const plain = kafka.producer()
  await plain.connect()
  // two hours later than anything before it: the markers get the time of the broker
  const timestamp = String(Date.now() + 2 * Number(HOUR))
  await plain.send({ topic: 'c-txn', messages: [{ key: 'active', value: 'x', timestamp }] })
  await plain.disconnect()
}

/** Has every topic compacted once, and waits until that is done; the second round writes the clean part again. */
async function compact(bootstrap: string, data: string, round: number): Promise<void> {
  await withAdmin(bootstrap, async (admin) => {
    const before = await checkpoint(data)
    for (const { name, configs } of topics) {
      // with another segment the first one is compacted again
      if (round > 1) await appendSegment(bootstrap, name, round)
      const entries = { ...topicConfigs, ...configs, 'cleanup.policy': 'compact' }
      await admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: ConfigResourceTypes.TOPIC,
            name,
            configEntries: Object.entries(entries).map(([key, value]) => ({ name: key, value })),
          },
        ],
      })
    }
    for (;;) {
      const now = await checkpoint(data)
      if (topics.every(({ name }) => now.has(name) && now.get(name) !== before.get(name))) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })
}

async function appendSegment(bootstrap: string, topic: string, round: number): Promise<void> {
  const client = await WireClient.connect('127.0.0.1', Number(bootstrap.split(':')[1]))
  const timestamp = now + BigInt(10 * round) * HOUR
  await send(client, topic, recordBatch([{ key: utf8('later'), value: utf8('y'), timestamp }]))
  client.close()
}

async function checkpoint(data: string): Promise<Map<string, string>> {
  const text = await readFile(path.join(data, 'cleaner-offset-checkpoint'), 'utf8').catch(() => '')
  return new Map(
    text
      .split('\n')
      .slice(2)
      .map((line) => line.split(' '))
      .filter((fields) => fields.length === 3)
      .map(([topic, , offset]) => [topic!, offset!]),
  )
}

/** Every file of a partition that compaction makes, told so that only what may differ is left out. */
async function content(data: string, topic: string): Promise<unknown> {
  const folder = path.join(data, `${topic}-0`)
  const names = (await readdir(folder)).filter((name) => /\.(log|txnindex|snapshot)$/.test(name)).sort()
  // the active segment is not compacted: each broker wrote its own
  const logs = names.filter((name) => name.endsWith('.log')).slice(0, -1)
  const batches = []
  for (const name of logs) {
    const bytes = await readFile(path.join(folder, name))
    batches.push([name, ...[...batchesIn(bytes)].map((batch) => (batch.hasDeleteHorizon ? told(batch) : whole(batch)))])
  }
  const aborted = []
  for (const name of names.filter((other) => other.endsWith('.txnindex'))) {
    aborted.push([name, (await readFile(path.join(folder, name))).toString('hex')])
  }
  return { batches, aborted, snapshots: names.filter((name) => name.endsWith('.snapshot')) }
}

/** Plain batches must be equal to the byte; compressed ones may be compressed in other words. */
function whole(batch: RecordBatchView): unknown {
  if (batch.codec !== 'none') return told(batch)
  return Buffer.from(batch.bytes.subarray(batch.at, batch.at + batch.sizeBytes)).toString('hex')
}

function told(batch: RecordBatchView): unknown {
  const codec = batch.codec!
  const section = codec === 'none' ? batch.records() : compressor.decompress(codec, batch.records(), 1 << 28)
  const { baseOffset, lastOffsetDelta, attributes, maxTimestamp, producerId, producerEpoch, baseSequence, count } =
    batch
  const header = [baseOffset, lastOffsetDelta, attributes, maxTimestamp, producerId, producerEpoch, baseSequence, count]
  const records = [...readRecords(batch, section)].map((record) => ({ ...record }))
  // the horizon itself is the time of the round and more
  return { header, baseTimestamp: batch.hasDeleteHorizon ? 'horizon' : batch.baseTimestamp, records }
}

/** Kafka's own dump reads every file without a word of complaint. */
async function trusted(data: string): Promise<void> {
  const files: string[] = []
  for (const { name } of topics) {
    const folder = path.join(data, `${name}-0`)
    const names = (await readdir(folder)).filter((file) => /\.(log|index|timeindex|txnindex|snapshot)$/.test(file))
    files.push(...names.map((file) => path.join(folder, file)))
  }
  const output = await dumpLogSegments('--deep-iteration', '--files', files.join(','))
  expect(output).not.toMatch(/isvalid: false|[Mm]ismatch|not found|[Ee]rror|[Ee]xception|out of order/)
}
