/**
 * The records inside a batch of magic 2 (KIP-82 headers included), after decompression: checking them in one tight
 * loop, reading them, finding one by timestamp.
 *
 * What makes a record malformed is what Kafka's `DefaultRecord` refuses; offset deltas are looked at but not judged
 * here (a broker renumbers the records of a compressed batch and takes those of a plain one as they are).
 */
import { NO_TIMESTAMP, type RecordBatchView } from './record-batch.ts'
import { scanUsualRecords } from './usual-records.ts'

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** One record, read out of its batch; the byte fields are views into the records section. */
export interface LogRecord {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/** What one pass over a records section found; valid until the next scan by the same scanner. */
export interface RecordScan {
  /** Kafka's words for the first malformed thing, or null. The other fields hold only when it is null. */
  readonly problem: string | null
  /** Offset deltas run 0, 1, 2, … */
  readonly sequential: boolean
  readonly withoutKey: number
  readonly minTimestampDelta: bigint
  readonly maxTimestampDelta: bigint
}

/** 2^28: what the fifth byte of a variable-length number is worth. */
const FIFTH_BYTE = 0x10000000
/** Deltas below this are exact as numbers. */
const EXACT = 2 ** 53

/**
 * Reads a records section from its start. Reading past the end yields zeros and never throws: whoever reads checks
 * `at` against `end` (records are length-prefixed, so one check a record is enough).
 */
export class RecordCursor {
  readonly bytes: Uint8Array
  readonly end: number
  at = 0

  constructor(section: Uint8Array) {
    this.bytes = section
    this.end = section.length
  }

  /** A zigzag int32; past five bytes `at` is moved behind the end, which every caller takes for malformed. */
  varint(): number {
    const bytes = this.bytes
    let b = bytes[this.at++]!
    if (b < 0x80) return (b >>> 1) ^ -(b & 1)
    let raw = b & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      b = bytes[this.at++]!
      raw |= (b & 0x7f) << shift
      if (!(b >= 0x80)) return (raw >>> 1) ^ -(raw & 1)
    }
    this.at = this.end + 1
    return 0
  }

  /** A zigzag int64 as a number; NaN when it is too large to be exact (the caller reads it again as a bigint). */
  varlong(): number {
    const bytes = this.bytes
    let b = bytes[this.at++]!
    if (b < 0x80) return (b >>> 1) ^ -(b & 1)
    let raw = b & 0x7f
    let shift = 7
    for (; shift < 28; shift += 7) {
      b = bytes[this.at++]!
      raw |= (b & 0x7f) << shift
      if (!(b >= 0x80)) return (raw >>> 1) ^ -(raw & 1)
    }
    let wide = raw
    for (let worth = FIFTH_BYTE; shift < 70; shift += 7, worth *= 128) {
      b = bytes[this.at++]!
      wide += (b & 0x7f) * worth
      if (!(b >= 0x80)) return wide >= EXACT ? NaN : raw % 2 === 0 ? wide / 2 : -(wide + 1) / 2
    }
    this.at = this.end + 1
    return 0
  }

  /** A zigzag int64, exact. */
  bigVarlong(): bigint {
    let raw = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const b = this.bytes[this.at++]!
      raw |= BigInt(b & 0x7f) << shift
      if (!(b >= 0x80)) return BigInt.asIntN(64, (BigInt.asUintN(64, raw) >> 1n) ^ -(raw & 1n))
    }
    this.at = this.end + 1
    return 0n
  }

  /** The next `length` bytes, null for a negative length; a view. */
  slice(length: number): Uint8Array | null {
    if (length < 0) return null
    const from = this.at
    this.at += length
    return this.bytes.subarray(from, this.at)
  }
}

/** Walks headers from `cursor.at`; false = malformed. */
function skipHeaders(cursor: RecordCursor, count: number, recordEnd: number): boolean {
  if (count < 0 || count > recordEnd - cursor.at) return false
  for (let i = 0; i < count; i++) {
    const keyLength = cursor.varint()
    if (keyLength < 0 || keyLength > recordEnd - cursor.at) return false
    cursor.at += keyLength
    const valueLength = cursor.varint()
    if (valueLength > recordEnd - cursor.at) return false
    if (valueLength > 0) cursor.at += valueLength
  }
  return true
}

const malformed = (problem: string): RecordScan => ({
  problem,
  sequential: false,
  withoutKey: 0,
  minTimestampDelta: 0n,
  maxTimestampDelta: 0n,
})

/**
 * One pass over the plain records of a batch that claims `count` of them: lengths, structure and exact end. Nothing
 * is allocated for a record.
 */
export function scanRecords(section: Uint8Array, count: number): RecordScan {
  const usual = scanUsualRecords(section, count)
  if (usual === null) return scanAnyRecords(section, count)
  const { sequential, withoutKey, min, max } = usual
  return {
    problem: null,
    sequential,
    withoutKey,
    minTimestampDelta: min === 0 ? 0n : BigInt(min),
    maxTimestampDelta: max === 0 ? 0n : BigInt(max),
  }
}

/** The same for records of any shape, and the words for what is malformed. */
export function scanAnyRecords(section: Uint8Array, count: number): RecordScan {
  const cursor = new RecordCursor(section)
  const end = cursor.end
  let sequential = true
  let withoutKey = 0
  let min = Infinity
  let max = -Infinity
  for (let i = 0; i < count; i++) {
    if (cursor.at >= end) return malformed('Incorrect declared batch size, premature EOF reached')
    const length = cursor.varint()
    const recordEnd = cursor.at + length
    if (length < 0 || recordEnd > end) return malformed(`Invalid record size: ${length}`)
    cursor.at++ // attributes: unused
    const timestampDelta = cursor.varlong()
    if (cursor.varint() !== i) sequential = false
    const keyLength = cursor.varint()
    if (keyLength < 0) withoutKey++
    else cursor.at += keyLength
    if (cursor.at > recordEnd) return malformed('Found invalid record structure')
    const valueLength = cursor.varint()
    if (valueLength > 0) cursor.at += valueLength
    if (cursor.at > recordEnd) return malformed('Found invalid record structure')
    const headers = cursor.varint()
    if (headers !== 0 && !skipHeaders(cursor, headers, recordEnd)) {
      return malformed('Found invalid number of record headers')
    }
    if (cursor.at !== recordEnd) return malformed(`Invalid record size: ${length}`)
    if (timestampDelta < min) min = timestampDelta
    if (timestampDelta > max) max = timestampDelta
    if (timestampDelta !== timestampDelta) min = -EXACT
  }
  if (cursor.at !== end) return malformed('Incorrect declared batch size, records still remaining in file')
  if (min === -EXACT) return { problem: null, sequential, withoutKey, ...wideDeltas(section, count) }
  return {
    problem: null,
    sequential,
    withoutKey,
    minTimestampDelta: min === Infinity ? 0n : BigInt(min),
    maxTimestampDelta: max === -Infinity ? 0n : BigInt(max),
  }
}

/** The slow pass for deltas beyond 2^53, which no honest producer sends. */
function wideDeltas(section: Uint8Array, count: number): Pick<RecordScan, 'minTimestampDelta' | 'maxTimestampDelta'> {
  const cursor = new RecordCursor(section)
  let min = 0n
  let max = 0n
  for (let i = 0; i < count; i++) {
    const recordEnd = cursor.varint() + cursor.at
    cursor.at++
    const delta = cursor.bigVarlong()
    if (i === 0 || delta < min) min = delta
    if (i === 0 || delta > max) max = delta
    cursor.at = recordEnd
  }
  return { minTimestampDelta: min, maxTimestampDelta: max }
}

/**
 * Reads header keys. (TextDecoder belongs to no JavaScript standard that the core may rely on, and keys are short.)
 */
export function utf8(bytes: Uint8Array): string {
  let escaped = ''
  let ascii = true
  for (const b of bytes) {
    ascii &&= b < 0x80
    escaped += ascii ? String.fromCharCode(b) : ''
  }
  if (ascii) return escaped
  let percent = ''
  for (const b of bytes) percent += `%${b.toString(16).padStart(2, '0')}`
  try {
    return decodeURIComponent(percent)
  } catch {
    // Not UTF-8: Latin-1 keeps every byte visible, where Java shows replacement characters.
    return Array.from(bytes, (b) => String.fromCharCode(b)).join('')
  }
}

/**
 * The records of a batch in order. `section` is its plain records section, already scanned (storage holds only what
 * was checked, and the CRC holds): malformed bytes yield nonsense here, not an error.
 */
export function* readRecords(batch: RecordBatchView, section: Uint8Array): Generator<LogRecord, void, undefined> {
  const cursor = new RecordCursor(section)
  const base = batch.baseOffset
  const baseTimestamp = batch.baseTimestamp
  const appendTime = batch.isLogAppendTime ? batch.maxTimestamp : null
  const count = batch.count
  for (let i = 0; i < count && cursor.at < cursor.end; i++) {
    const recordEnd = cursor.varint() + cursor.at
    cursor.at++
    const timestamp = baseTimestamp + cursor.bigVarlong()
    const offset = base + BigInt(cursor.varint())
    const key = cursor.slice(cursor.varint())
    const value = cursor.slice(cursor.varint())
    const headers: RecordHeader[] = []
    for (let left = cursor.varint(); left > 0 && cursor.at < recordEnd; left--) {
      const name = cursor.slice(cursor.varint())
      headers.push({ key: name === null ? '' : utf8(name), value: cursor.slice(cursor.varint()) })
    }
    cursor.at = recordEnd
    yield { offset, timestamp: appendTime ?? timestamp, key, value, headers }
  }
}

/** A record's place and time. */
export interface FoundRecord {
  readonly offset: bigint
  readonly timestamp: bigint
}

/** The first record at `from` or later whose timestamp is `timestamp` or later. */
export function findByTimestamp(
  batch: RecordBatchView,
  section: Uint8Array,
  timestamp: bigint,
  from: bigint,
): FoundRecord | null {
  for (const record of readRecords(batch, section)) {
    if (record.timestamp >= timestamp && record.offset >= from) return record
  }
  return null
}

/** The record that carries the batch's largest timestamp, the first of several; null when none has a timestamp. */
export function findMaxTimestamp(batch: RecordBatchView, section: Uint8Array): FoundRecord | null {
  let found: FoundRecord | null = null
  for (const record of readRecords(batch, section)) {
    if (record.timestamp > (found?.timestamp ?? NO_TIMESTAMP)) found = record
  }
  return found
}
