/**
 * Makes record batches: for the broker's own records (internal topics), for batches whose codec or numbering the
 * broker changes, and for tests. Only magic 2.
 */
import {
  BATCH_HEADER_BYTES,
  CONTROL_BIT,
  CRC_COVERS_FROM,
  LOG_APPEND_TIME_BIT,
  NO_PRODUCER_ID,
  NO_TIMESTAMP,
  RecordBatchView,
  TRANSACTIONAL_BIT,
  codecNumber,
  writeBatchHeader,
  type BatchCodec,
} from './record-batch.ts'
import { RecordCursor } from './record.ts'

/** The CRC-32C of some bytes: the domain takes the function, the application has the port. */
export type Crc32c = (bytes: Uint8Array) => number

export interface NewRecord {
  readonly timestamp?: bigint
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** Header keys are given as bytes, UTF-8. */
  readonly headers?: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[]
}

/** How a batch is framed; every field has the default of a plain, non-idempotent batch at offset 0. */
export interface NewBatch {
  readonly baseOffset?: bigint
  readonly leaderEpoch?: number
  readonly codec?: BatchCodec
  /** The compressor for `codec`; absent = the section is taken as it is. */
  readonly compress?: (section: Uint8Array) => Uint8Array
  readonly logAppendTime?: boolean
  readonly transactional?: boolean
  readonly control?: boolean
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
}

const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0

function varintBytes(value: number): number {
  let raw = zigzag(value)
  let bytes = 1
  for (; raw >= 0x80; raw >>>= 7) bytes++
  return bytes
}

/** Within this a long is written as an int: the bytes are the same, and numbers cost a tenth of bigints. */
const SMALL = 0x4000_0000n

const zigzagLong = (value: bigint): bigint => BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))

/** How many bytes a zigzag int64 takes. */
export function varlongBytes(value: bigint): number {
  if (value >= -SMALL && value < SMALL) return varintBytes(Number(value))
  let raw = zigzagLong(value)
  let bytes = 1
  for (; raw >= 0x80n; raw >>= 7n) bytes++
  return bytes
}

/** Writes into memory that was sized before. */
export class RecordWriter {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  varint(value: number): void {
    let raw = zigzag(value)
    for (; raw >= 0x80; raw >>>= 7) this.bytes[this.at++] = (raw & 0x7f) | 0x80
    this.bytes[this.at++] = raw
  }

  varlong(value: bigint): void {
    if (value >= -SMALL && value < SMALL) {
      this.varint(Number(value))
      return
    }
    let raw = zigzagLong(value)
    for (; raw >= 0x80n; raw >>= 7n) this.bytes[this.at++] = Number(raw & 0x7fn) | 0x80
    this.bytes[this.at++] = Number(raw)
  }

  /** Length and bytes, -1 for null. */
  sized(bytes: Uint8Array | null): void {
    this.varint(bytes === null ? -1 : bytes.length)
    if (bytes !== null) this.raw(bytes)
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }
}

const noHeaders: NonNullable<NewRecord['headers']> = []

const sizedBytes = (bytes: Uint8Array | null): number => (bytes === null ? 1 : varintBytes(bytes.length) + bytes.length)

function bodyBytes(record: NewRecord, timestampDelta: bigint, offsetDelta: number): number {
  let bytes = 1 + varlongBytes(timestampDelta) + varintBytes(offsetDelta)
  bytes += sizedBytes(record.key) + sizedBytes(record.value)
  const headers = record.headers ?? noHeaders
  bytes += varintBytes(headers.length)
  for (const header of headers) bytes += sizedBytes(header.key) + sizedBytes(header.value)
  return bytes
}

/** The plain records section of `records` behind `headBytes`, numbered from 0, timestamps relative to `baseTimestamp`. */
function writeSection(records: readonly NewRecord[], baseTimestamp: bigint, headBytes: number): Uint8Array {
  const bodies = records.map((record, i) => bodyBytes(record, timeOf(record) - baseTimestamp, i))
  const total = bodies.reduce((sum, body) => sum + varintBytes(body) + body, headBytes)
  const writer = new RecordWriter(new Uint8Array(total), headBytes)
  records.forEach((record, i) => {
    writer.varint(bodies[i]!)
    writer.bytes[writer.at++] = 0
    writer.varlong(timeOf(record) - baseTimestamp)
    writer.varint(i)
    writer.sized(record.key)
    writer.sized(record.value)
    const headers = record.headers ?? noHeaders
    writer.varint(headers.length)
    for (const header of headers) {
      writer.sized(header.key)
      writer.sized(header.value)
    }
  })
  return writer.bytes
}

const timeOf = (record: NewRecord): bigint => record.timestamp ?? NO_TIMESTAMP

/** A whole batch with a right CRC. `records` may be empty: such a batch spans one offset, as compaction leaves them. */
export function buildBatch(records: readonly NewRecord[], batch: NewBatch, crc32c: Crc32c): Uint8Array {
  const baseTimestamp = records.length === 0 ? NO_TIMESTAMP : timeOf(records[0]!)
  let maxTimestamp = NO_TIMESTAMP
  for (const record of records) if (timeOf(record) > maxTimestamp) maxTimestamp = timeOf(record)
  let bytes = writeSection(records, baseTimestamp, BATCH_HEADER_BYTES)
  if (batch.compress !== undefined) {
    const section = batch.compress(bytes.subarray(BATCH_HEADER_BYTES))
    bytes = new Uint8Array(BATCH_HEADER_BYTES + section.length)
    bytes.set(section, BATCH_HEADER_BYTES)
  }
  writeBatchHeader(bytes, {
    baseOffset: batch.baseOffset ?? 0n,
    sizeBytes: bytes.length,
    leaderEpoch: batch.leaderEpoch ?? -1,
    attributes:
      codecNumber(batch.codec ?? 'none') |
      (batch.logAppendTime === true ? LOG_APPEND_TIME_BIT : 0) |
      (batch.transactional === true ? TRANSACTIONAL_BIT : 0) |
      (batch.control === true ? CONTROL_BIT : 0),
    lastOffsetDelta: Math.max(records.length - 1, 0),
    baseTimestamp,
    maxTimestamp,
    producerId: batch.producerId ?? NO_PRODUCER_ID,
    producerEpoch: batch.producerEpoch ?? -1,
    baseSequence: batch.baseSequence ?? -1,
    count: records.length,
  })
  new RecordBatchView(bytes).setCrc(crc32c(bytes.subarray(CRC_COVERS_FROM)))
  return bytes
}

/**
 * The same batch around another records section (recompressed or renumbered): every header field but size and codec
 * stays. The CRC is left 0, because the caller stamps more of the header before it is known.
 */
export function replaceSection(batch: RecordBatchView, section: Uint8Array, codec: BatchCodec): Uint8Array {
  const bytes = new Uint8Array(BATCH_HEADER_BYTES + section.length)
  bytes.set(section, BATCH_HEADER_BYTES)
  writeBatchHeader(bytes, {
    baseOffset: batch.baseOffset,
    sizeBytes: bytes.length,
    leaderEpoch: batch.leaderEpoch,
    attributes: (batch.attributes & ~0x07) | codecNumber(codec),
    lastOffsetDelta: batch.lastOffsetDelta,
    baseTimestamp: batch.baseTimestamp,
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    count: batch.count,
  })
  return bytes
}

/** The section of `count` well-formed records with offset deltas 0, 1, 2, … and everything else as it was. */
export function renumberRecords(section: Uint8Array, count: number): Uint8Array {
  // A delta takes at most five bytes where it took at least one, and may lengthen its record's size field by one.
  const writer = new RecordWriter(new Uint8Array(section.length + count * 5), 0)
  const cursor = new RecordCursor(section)
  for (let i = 0; i < count; i++) {
    const recordEnd = cursor.varint() + cursor.at
    const start = cursor.at
    cursor.at++
    cursor.bigVarlong()
    const head = section.subarray(start, cursor.at)
    cursor.varint()
    const tail = section.subarray(cursor.at, recordEnd)
    writer.varint(head.length + varintBytes(i) + tail.length)
    writer.raw(head)
    writer.varint(i)
    writer.raw(tail)
    cursor.at = recordEnd
  }
  return writer.bytes.subarray(0, writer.at)
}
