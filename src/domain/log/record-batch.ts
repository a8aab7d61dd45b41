/**
 * The header of a record batch in magic 2, the only format that Kafka 4.x writes (KIP-98), read and stamped in place.
 *
 * Offsets below are relative to the batch's first byte; everything is big-endian. The CRC covers byte 21 to the end,
 * so base offset and leader epoch are rewritten without touching it. This file knows the header only: records are
 * record.ts, what a batch must look like to be accepted is append-rules.ts. Legacy message sets (magic 0 and 1) are
 * recognised by their magic and never read here.
 */

/** Bytes before the records. */
export const BATCH_HEADER_BYTES = 61
/** Base offset and batch length: what precedes the bytes that `batchLength` counts. */
export const LOG_OVERHEAD_BYTES = 12
/** The CRC covers everything from here on. */
export const CRC_COVERS_FROM = 21
/** The bytes needed to see the magic, the same in all message formats. */
export const BYTES_UP_TO_MAGIC = 17

export const NO_PRODUCER_ID = -1n
export const NO_TIMESTAMP = -1n

const AT_LENGTH = 8
const AT_LEADER_EPOCH = 12
const AT_MAGIC = 16
const AT_CRC = 17
const AT_ATTRIBUTES = 21
const AT_LAST_OFFSET_DELTA = 23
const AT_BASE_TIMESTAMP = 27
const AT_MAX_TIMESTAMP = 35
const AT_PRODUCER_ID = 43
const AT_PRODUCER_EPOCH = 51
const AT_BASE_SEQUENCE = 53
const AT_COUNT = 57

export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME_BIT = 0x08
export const TRANSACTIONAL_BIT = 0x10
export const CONTROL_BIT = 0x20
export const DELETE_HORIZON_BIT = 0x40

/** The codec of a batch by its number in the attributes; 5 to 7 mean nothing. */
export type BatchCodec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
const codecs: readonly BatchCodec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** The number of a codec in the attributes. */
export function codecNumber(codec: BatchCodec): number {
  return codecs.indexOf(codec)
}

/**
 * A cursor over memory that holds batches: set `at` to a batch's first byte and read or stamp its header. One object
 * serves a whole segment; nothing is allocated by moving it. Getters trust that the header lies inside the memory.
 */
export class RecordBatchView {
  readonly bytes: Uint8Array
  /** Where the batch begins in `bytes`. */
  at: number
  readonly #view: DataView

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get baseOffset(): bigint {
    return this.#view.getBigInt64(this.at)
  }

  /** Bytes after the length field, as the batch claims. */
  get batchLength(): number {
    return this.#view.getInt32(this.at + AT_LENGTH)
  }

  /** Bytes of the whole batch, as it claims. */
  get sizeBytes(): number {
    return this.#view.getInt32(this.at + AT_LENGTH) + LOG_OVERHEAD_BYTES
  }

  get leaderEpoch(): number {
    return this.#view.getInt32(this.at + AT_LEADER_EPOCH)
  }

  get magic(): number {
    return this.#view.getInt8(this.at + AT_MAGIC)
  }

  /** The CRC that the batch claims, unsigned. */
  get crc(): number {
    return this.#view.getUint32(this.at + AT_CRC)
  }

  get attributes(): number {
    return this.#view.getInt16(this.at + AT_ATTRIBUTES)
  }

  /** null = a number that stands for no codec. */
  get codec(): BatchCodec | null {
    return codecs[this.attributes & CODEC_MASK] ?? null
  }

  get isLogAppendTime(): boolean {
    return (this.attributes & LOG_APPEND_TIME_BIT) !== 0
  }

  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL_BIT) !== 0
  }

  get isControl(): boolean {
    return (this.attributes & CONTROL_BIT) !== 0
  }

  /** Whether `baseTimestamp` holds a delete horizon (KIP-534) instead of a timestamp. */
  get hasDeleteHorizon(): boolean {
    return (this.attributes & DELETE_HORIZON_BIT) !== 0
  }

  get lastOffsetDelta(): number {
    return this.#view.getInt32(this.at + AT_LAST_OFFSET_DELTA)
  }

  get lastOffset(): bigint {
    return this.baseOffset + BigInt(this.lastOffsetDelta)
  }

  get baseTimestamp(): bigint {
    return this.#view.getBigInt64(this.at + AT_BASE_TIMESTAMP)
  }

  get maxTimestamp(): bigint {
    return this.#view.getBigInt64(this.at + AT_MAX_TIMESTAMP)
  }

  /** Whether the base offset is 0, as clients send it; a bigint each time would cost more than the look. */
  get startsAtZero(): boolean {
    return this.#view.getInt32(this.at) === 0 && this.#view.getInt32(this.at + 4) === 0
  }

  /** Whether it was written with idempotence, or by a coordinator for such a producer. */
  get hasProducer(): boolean {
    return (
      this.#view.getInt32(this.at + AT_PRODUCER_ID + 4) !== -1 || this.#view.getInt32(this.at + AT_PRODUCER_ID) !== -1
    )
  }

  /** -1 = written without idempotence. */
  get producerId(): bigint {
    return this.#view.getBigInt64(this.at + AT_PRODUCER_ID)
  }

  get producerEpoch(): number {
    return this.#view.getInt16(this.at + AT_PRODUCER_EPOCH)
  }

  /** -1 = none. */
  get baseSequence(): number {
    return this.#view.getInt32(this.at + AT_BASE_SEQUENCE)
  }

  get count(): number {
    return this.#view.getInt32(this.at + AT_COUNT)
  }

  /** The part that the CRC covers, by the claimed length. */
  checksummed(): Uint8Array {
    return this.bytes.subarray(this.at + CRC_COVERS_FROM, this.at + this.sizeBytes)
  }

  /** The records section, compressed as it is, by the claimed length. */
  records(): Uint8Array {
    return this.bytes.subarray(this.at + BATCH_HEADER_BYTES, this.at + this.sizeBytes)
  }

  /** Gives the batch its place in the log. The CRC stays valid. */
  stamp(baseOffset: bigint, leaderEpoch: number): void {
    this.#view.setBigInt64(this.at, baseOffset)
    this.#view.setInt32(this.at + AT_LEADER_EPOCH, leaderEpoch)
  }

  /** Sets timestamp type and max timestamp; the CRC is wrong afterwards until `setCrc`. Reserved bits are cleared. */
  stampTime(logAppendTime: boolean, maxTimestamp: bigint): void {
    const kept = this.attributes & (CODEC_MASK | TRANSACTIONAL_BIT | CONTROL_BIT | DELETE_HORIZON_BIT)
    this.#view.setInt16(this.at + AT_ATTRIBUTES, logAppendTime ? kept | LOG_APPEND_TIME_BIT : kept)
    this.#view.setBigInt64(this.at + AT_MAX_TIMESTAMP, maxTimestamp)
  }

  setCrc(crc: number): void {
    this.#view.setUint32(this.at + AT_CRC, crc)
  }
}

/** Everything a batch header holds, in one object: to write one (`writeBatchHeader`), never to read many. */
export interface BatchHeader {
  readonly baseOffset: bigint
  /** Bytes of the whole batch. */
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly count: number
}

/** Writes a header into the first 61 bytes of `bytes`; the CRC is left 0, to be set when the rest is there. */
export function writeBatchHeader(bytes: Uint8Array, header: BatchHeader): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, BATCH_HEADER_BYTES)
  view.setBigInt64(0, header.baseOffset)
  view.setInt32(AT_LENGTH, header.sizeBytes - LOG_OVERHEAD_BYTES)
  view.setInt32(AT_LEADER_EPOCH, header.leaderEpoch)
  view.setInt8(AT_MAGIC, 2)
  view.setUint32(AT_CRC, 0)
  view.setInt16(AT_ATTRIBUTES, header.attributes)
  view.setInt32(AT_LAST_OFFSET_DELTA, header.lastOffsetDelta)
  view.setBigInt64(AT_BASE_TIMESTAMP, header.baseTimestamp)
  view.setBigInt64(AT_MAX_TIMESTAMP, header.maxTimestamp)
  view.setBigInt64(AT_PRODUCER_ID, header.producerId)
  view.setInt16(AT_PRODUCER_EPOCH, header.producerEpoch)
  view.setInt32(AT_BASE_SEQUENCE, header.baseSequence)
  view.setInt32(AT_COUNT, header.count)
}

/** No whole batch is left: Kafka ignores what trails. */
export const NO_BATCH = 0
/** A size that no batch in any format has, or a magic that does not exist (`corruptionMessage` says which). */
export const CORRUPT_BATCH = -1

/** The smallest size field of any format: a magic 0 message without key and value. */
const RECORD_OVERHEAD_V0 = 14

/**
 * How many bytes the batch at `view.at` takes, or NO_BATCH or CORRUPT_BATCH. Only size and magic are looked at, as
 * Kafka's input stream does: a magic 2 batch shorter than its own header passes here and fails its CRC check later.
 */
export function batchBytesAt(view: RecordBatchView): number {
  const left = view.bytes.byteLength - view.at
  if (left < LOG_OVERHEAD_BYTES) return NO_BATCH
  if (view.batchLength < RECORD_OVERHEAD_V0) return CORRUPT_BATCH
  if (left < BYTES_UP_TO_MAGIC) return NO_BATCH
  if (view.magic < 0 || view.magic > 2) return CORRUPT_BATCH
  return left < view.sizeBytes ? NO_BATCH : view.sizeBytes
}

/** What is wrong with the batch that `batchBytesAt` called corrupt, in Kafka's words. */
export function corruptionMessage(view: RecordBatchView): string {
  if (view.batchLength < RECORD_OVERHEAD_V0) {
    return `Record size ${view.batchLength} is less than the minimum record overhead (${RECORD_OVERHEAD_V0})`
  }
  return `Invalid magic found in record: ${view.magic}`
}
