/** Record batches as clients make them and read them, and partitions read to their end over a raw connection. */
import { createHash } from 'node:crypto'
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { Crc32cChecksum } from '../../src/adapters/system/crc32c-checksum.ts'
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { fetch } from '../../src/adapters/wire/apis/01-fetch.ts'
import { listOffsets } from '../../src/adapters/wire/apis/02-list-offsets.ts'
import { metadata } from '../../src/adapters/wire/apis/03-metadata.ts'
import { buildBatch, type NewBatch, type NewRecord } from '../../src/domain/log/batch-writer.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { readRecords, type LogRecord } from '../../src/domain/log/record.ts'
import { ZERO_UUID } from '../../src/domain/uuid.ts'
import type { ResponseValue, WireClient } from './wire-client.ts'

const checksum = new Crc32cChecksum()
/** ListOffsets' timestamp for the start of the log. */
const EARLIEST = -2n
const compressor = new CodecCompressor()
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A batch of one record for each value, without keys, all with one timestamp. */
export function batchOf(values: readonly string[], batch: NewBatch = {}, timestamp = 1_700_000_000_000n): Uint8Array {
  return recordBatch(
    values.map((value) => ({ key: null, value: utf8(value), timestamp })),
    batch,
  )
}

/** A batch with the CRC that it must have, compressed when a codec is given. */
export function recordBatch(records: readonly NewRecord[], batch: NewBatch = {}): Uint8Array {
  const { codec } = batch
  const compress =
    codec === undefined || codec === 'none'
      ? {}
      : { compress: (section: Uint8Array) => compressor.compress(codec, section) }
  return buildBatch(records, { ...batch, ...compress }, (bytes) => checksum.crc32c(bytes))
}

/** One batch to one partition by Produce v11; what is answered for that partition. */
export async function produceBatch(
  client: WireClient,
  topic: string,
  index: number,
  batch: Uint8Array,
  acks = -1,
): Promise<ResponseValue<typeof produce>['responses'][number]['partitionResponses'][number]> {
  const { responses } = await client.send(produce, 11, {
    acks,
    timeoutMs: 5_000,
    topicData: [{ name: topic, partitionData: [{ index, records: batch }] }],
  })
  return responses[0]!.partitionResponses[0]!
}

/** The partitions asked for, by Fetch v16: the id of the topic, a partition and the offset to begin at. */
export async function fetchFrom(
  client: WireClient,
  topicId: string,
  partition: number,
  fetchOffset: bigint,
  { maxWaitMs = 0, isolationLevel = 0 } = {},
): Promise<ResponseValue<typeof fetch>> {
  return client.send(fetch, 16, {
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1 << 26,
    isolationLevel,
    sessionEpoch: -1,
    topics: [{ topicId, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 20 }] }],
    forgottenTopicsData: [],
  })
}

export async function topicIdOf(client: WireClient, name: string): Promise<string> {
  const { topics } = await client.send(metadata, 12, {
    topics: [{ topicId: ZERO_UUID, name }],
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: false,
  })
  const topic = topics[0]!
  if (topic.errorCode !== 0) throw new Error(`${name}: error ${topic.errorCode}`)
  return topic.topicId
}

const OFFSET_OUT_OF_RANGE = 1

export interface StoredRecord extends LogRecord {
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
}

export interface PartitionContent {
  /** The batches as they were answered, one after the other. */
  readonly bytes: Buffer
  /** What a consumer would see: data records from the log's start on. */
  readonly records: readonly StoredRecord[]
}

/** Everything that a partition holds, from its start to its end. */
export async function readPartition(client: WireClient, topic: string, partition: number): Promise<PartitionContent> {
  const topicId = await topicIdOf(client, topic)
  const chunks: Uint8Array[] = []
  const records: StoredRecord[] = []
  const start = await logStart(client, topic, partition)
  for (let from = start; ;) {
    const answer = (await fetchFrom(client, topicId, partition, from)).responses[0]!.partitions[0]!
    // What retention takes between two questions is not there: read again from the new start.
    const overtaken = answer.errorCode === OFFSET_OUT_OF_RANGE && (await logStart(client, topic, partition)) > from
    if (overtaken) return readPartition(client, topic, partition)
    if (answer.errorCode !== 0) throw new Error(`${topic}-${partition} at ${from}: error ${answer.errorCode}`)
    const bytes = answer.records ?? new Uint8Array()
    if (bytes.length === 0) break
    chunks.push(bytes)
    for (const view of batchesIn(bytes)) {
      records.push(...recordsOf(view).filter(({ offset }) => offset >= start))
      from = view.lastOffset + 1n
    }
  }
  return { bytes: Buffer.concat(chunks), records }
}

async function logStart(client: WireClient, name: string, partitionIndex: number): Promise<bigint> {
  const partitions = [{ partitionIndex, timestamp: EARLIEST }]
  const answer = await client.send(listOffsets, 8, { replicaId: -1, isolationLevel: 0, topics: [{ name, partitions }] })
  return answer.topics[0]!.partitions[0]!.offset
}

/** The whole batches in `bytes`, each with its CRC checked. */
export function* batchesIn(bytes: Uint8Array): Generator<RecordBatchView> {
  for (let at = 0; at < bytes.length;) {
    const view = new RecordBatchView(bytes, at)
    if (checksum.crc32c(view.checksummed()) !== view.crc) throw new Error(`the batch at byte ${at} fails its CRC`)
    yield view
    at += view.sizeBytes
  }
}

/** What a batch holds; nothing of a control batch. */
export function recordsOf(view: RecordBatchView): StoredRecord[] {
  if (view.isControl) return []
  const codec = view.codec ?? 'none'
  const section = codec === 'none' ? view.records() : compressor.decompress(codec, view.records(), 1 << 28)
  const timestampType = view.isLogAppendTime ? 'LogAppendTime' : 'CreateTime'
  return [...readRecords(view, section)].map((record) => ({ ...record, timestampType }))
}

/** What the golden directories' `sha256` is taken over: one line for each record. */
export function canonicalHash(records: readonly StoredRecord[]): string {
  const hash = createHash('sha256')
  const base64 = (bytes: Uint8Array | null, none: string): string =>
    bytes === null ? none : Buffer.from(bytes).toString('base64')
  for (const { offset, timestamp, timestampType, key, value, headers } of records) {
    const tail = headers.map((header) => `${header.key}=${base64(header.value, '-')}`).join(',')
    hash.update(`${offset}|${timestamp}|${timestampType}|${base64(key, '-')}|${base64(value, '-')}|${tail}\n`)
  }
  return hash.digest('hex')
}

export const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString()
