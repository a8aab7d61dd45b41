/**
 * What a batch must look like to be appended: the checks of a real broker, in its order, with its errors and words.
 *
 * Pure functions over one batch. Checksums and decompression happen between them, in the application, which has the
 * ports. Sequences and epochs of producers are producer-state.ts. Legacy message sets (magic 0 and 1) are refused:
 * Kafka 4 takes only magic 2 from Produce v3 on.
 */
import type { TopicConfig } from '../config/topic-config.ts'
import type { KafkaError } from '../errors.ts'
import type { AppendOrigin } from './producer-state.ts'
import {
  BATCH_HEADER_BYTES,
  CORRUPT_BATCH,
  NO_BATCH,
  NO_TIMESTAMP,
  RecordBatchView,
  batchBytesAt,
  corruptionMessage,
  type BatchCodec,
} from './record-batch.ts'
import { readRecords, scanRecords, type LogRecord } from './record.ts'

/** The topic configs that decide about a batch. */
export type AppendRules = Pick<
  TopicConfig,
  | 'cleanupPolicy'
  | 'compressionType'
  | 'maxMessageBytes'
  | 'messageTimestampAfterMaxMs'
  | 'messageTimestampBeforeMaxMs'
  | 'messageTimestampType'
  | 'segmentBytes'
>

/** One record that is to blame, by its index in the batch (KIP-467). */
export interface RecordProblem {
  readonly batchIndex: number
  readonly message: string
}

/** Why a batch is not appended. */
export interface Refusal {
  readonly error: KafkaError
  /** For the client; null where a real broker sends none. */
  readonly message: string | null
  readonly recordProblems: readonly RecordProblem[]
  /** Whether the answer carries the log start offset: Kafka leaves it -1 for errors it counts as expected. */
  readonly tellsLogStart: boolean
}

/** How many blamed records are listed; a batch may hold millions, and the answer has to stay small. */
const PROBLEMS_LISTED_MAX = 10_000

/** A refusal without message, with or without the log start offset. */
export function refusal(error: KafkaError, tellsLogStart: boolean, message: string | null = null): Refusal {
  return { error, message, recordProblems: [], tellsLogStart }
}

/**
 * The one batch of a Produce request's partition. What trails it, shorter than a batch, is ignored; a second batch is
 * refused, without a word where it is not even one. `zstd` tells whether the request's version may carry it (from Produce v7 on, KIP-110).
 */
export function takeSoleBatch(records: Uint8Array | null, zstd: boolean): RecordBatchView | Refusal {
  if (records === null) return refusal('INVALID_RECORD', false)
  const view = new RecordBatchView(records)
  const bytes = batchBytesAt(view)
  if (bytes === NO_BATCH) return refusal('INVALID_RECORD', false)
  if (bytes === CORRUPT_BATCH) return refusal('CORRUPT_MESSAGE', false, corruptionMessage(view))
  if (view.magic !== 2) return refusal('INVALID_RECORD', false)
  if (bytes < BATCH_HEADER_BYTES) return refusal('CORRUPT_MESSAGE', false)
  if (view.codec === 'zstd' && !zstd) return refusal('UNSUPPORTED_COMPRESSION_TYPE', false)
  if (bytes === records.length) return view
  view.at = bytes
  const second = batchBytesAt(view)
  if (second === CORRUPT_BATCH) return refusal('CORRUPT_MESSAGE', false)
  if (second !== NO_BATCH) return refusal('INVALID_RECORD', false)
  return new RecordBatchView(records.subarray(0, bytes))
}

/** What is checked before the CRC. */
export function refuseFrame(batch: RecordBatchView, rules: AppendRules, origin: AppendOrigin): Refusal | null {
  if (origin === 'client' && !batch.startsAtZero) return refusal('INVALID_RECORD', true)
  if (batch.sizeBytes > rules.maxMessageBytes) return refusal('MESSAGE_TOO_LARGE', false)
  return null
}

/** What is checked once the CRC holds, without looking at the records. */
export function refuseHeader(batch: RecordBatchView, rules: AppendRules, origin: AppendOrigin): Refusal | null {
  // Kafka answers UNKNOWN_SERVER_ERROR (-1) for a codec number that stands for nothing.
  if (batch.codec === null) return refusal('UNSUPPORTED_COMPRESSION_TYPE', true)
  if (origin === 'client') {
    const count = batch.count
    if (count <= 0 || batch.lastOffsetDelta + 1 !== count) return refusal('INVALID_RECORD', true)
    if (batch.isControl) return refusal('INVALID_RECORD', true)
    if (batch.hasProducer && batch.baseSequence < 0) return refusal('INVALID_RECORD', true)
  }
  return refuseSize(batch, rules)
}

/** Also checked again after the broker changed a batch's codec. */
export function refuseSize(batch: RecordBatchView, rules: AppendRules): Refusal | null {
  if (batch.sizeBytes > rules.maxMessageBytes) return refusal('MESSAGE_TOO_LARGE', false)
  if (batch.sizeBytes > rules.segmentBytes) return refusal('RECORD_LIST_TOO_LARGE', false)
  return null
}

/** What the records of an acceptable batch decide about its header. */
export interface JudgedRecords {
  /** Over the records; -1 when none has a timestamp. */
  readonly maxTimestamp: bigint
  /** Offset deltas run 0, 1, 2, … */
  readonly sequential: boolean
}

/** Checks the plain records of a batch. `topicPartition` appears in messages, `topic-0`. */
export function judgeRecords(
  batch: RecordBatchView,
  section: Uint8Array,
  rules: AppendRules,
  topicPartition: string,
  nowMs: bigint,
): JudgedRecords | Refusal {
  const scan = scanRecords(section, batch.count)
  if (scan.problem !== null) return refusal('INVALID_RECORD', true)
  let min: bigint
  let max: bigint
  if (batch.isLogAppendTime) min = max = batch.maxTimestamp
  else {
    const base = batch.baseTimestamp
    min = BigInt.asIntN(64, base + scan.minTimestampDelta)
    const same = scan.maxTimestampDelta === scan.minTimestampDelta
    max = same ? min : BigInt.asIntN(64, base + scan.maxTimestampDelta)
  }
  const keysMissing = rules.cleanupPolicy.compact && scan.withoutKey > 0
  if (keysMissing || !timesAreFine(batch, rules, min, max, nowMs)) {
    const refused = blameRecords(batch, section, rules, topicPartition, nowMs)
    if (refused !== null) return refused
  }
  return { maxTimestamp: max > NO_TIMESTAMP ? max : NO_TIMESTAMP, sequential: scan.sequential }
}

/** Whether no record can be to blame for its timestamp, by the smallest and the largest one. */
function timesAreFine(batch: RecordBatchView, rules: AppendRules, min: bigint, max: bigint, nowMs: bigint): boolean {
  if (rules.messageTimestampType === 'LogAppendTime') return !batch.isLogAppendTime
  if (batch.isLogAppendTime && min === NO_TIMESTAMP) return false
  return timeInRange(min, rules, nowMs) && (max === min || timeInRange(max, rules, nowMs))
}

function timeInRange(timestamp: bigint, rules: AppendRules, nowMs: bigint): boolean {
  const age = nowMs - timestamp
  return age <= rules.messageTimestampBeforeMaxMs && -age <= rules.messageTimestampAfterMaxMs
}

/** The slow pass over a batch in which something may be wrong: which records, and in which words. */
function blameRecords(
  batch: RecordBatchView,
  section: Uint8Array,
  rules: AppendRules,
  topicPartition: string,
  nowMs: bigint,
): Refusal | null {
  const recordProblems: RecordProblem[] = []
  let total = 0
  let timestamps = 0
  let batchIndex = -1
  for (const record of readRecords(batch, section)) {
    batchIndex++
    const keyMissing = rules.cleanupPolicy.compact && record.key === null
    const message = keyMissing
      ? `Compacted topic cannot accept message without key in topic partition ${topicPartition}`
      : timestampProblem(batch, record, rules, nowMs)
    if (message === null) continue
    total++
    if (!keyMissing) timestamps++
    if (recordProblems.length < PROBLEMS_LISTED_MAX) recordProblems.push({ batchIndex, message })
  }
  if (total === 0) return null
  if (timestamps > 0) {
    const message = 'One or more records have been rejected due to invalid timestamp'
    return { error: 'INVALID_TIMESTAMP', message, recordProblems, tellsLogStart: true }
  }
  const first = recordProblems.slice(0, 3).map((p) => `RecordError(batchIndex=${p.batchIndex}, message='${p.message}')`)
  const message =
    `One or more records have been rejected due to ${total} record errors in total, ` +
    `and only showing the first three errors at most: [${first.join(', ')}]`
  return { error: 'INVALID_RECORD', message, recordProblems, tellsLogStart: true }
}

function timestampProblem(batch: RecordBatchView, record: LogRecord, rules: AppendRules, nowMs: bigint): string | null {
  if (rules.messageTimestampType === 'CreateTime' && record.timestamp !== NO_TIMESTAMP) {
    if (timeInRange(record.timestamp, rules, nowMs)) return null
    const earliest = BigInt.asIntN(64, nowMs - rules.messageTimestampBeforeMaxMs)
    const latest = BigInt.asIntN(64, nowMs + rules.messageTimestampAfterMaxMs)
    return (
      `Timestamp ${record.timestamp} of message with offset ${record.offset} is out of range. ` +
      `The timestamp should be within [${earliest}, ${latest}]`
    )
  }
  if (!batch.isLogAppendTime) return null
  const shown =
    `DefaultRecord(offset=${record.offset}, timestamp=${record.timestamp}, ` +
    `key=${record.key?.length ?? 0} bytes, value=${record.value?.length ?? 0} bytes)`
  return `Invalid timestamp type in message ${shown}. Producer should not set timestamp type to LogAppendTime.`
}

/** The codec that a topic stores a batch in. */
export function targetCodec(rules: AppendRules, source: BatchCodec): BatchCodec {
  switch (rules.compressionType) {
    case 'producer':
      return source
    case 'uncompressed':
      return 'none'
    default:
      return rules.compressionType
  }
}
