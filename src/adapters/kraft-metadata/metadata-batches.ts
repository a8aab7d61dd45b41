/**
 * The batches of the metadata log and its snapshots: walking them with every check, and making them.
 *
 * They are never compressed and never idempotent. Each is either control (KRaft's own records) or data (metadata).
 */
import type { MetadataRecord } from '../../domain/cluster/metadata-record.ts'
import type { Crc32c } from '../../domain/log/batch-writer.ts'
import { buildBatch } from '../../domain/log/batch-writer.ts'
import { BATCH_HEADER_BYTES, BYTES_UP_TO_MAGIC, RecordBatchView } from '../../domain/log/record-batch.ts'
import { readRecords, scanRecords } from '../../domain/log/record.ts'
import type { ControlRecord } from './control-records.ts'
import { controlLogRecord, decodeControlRecord } from './control-records.ts'
import { MetadataRecordDecoder, UnknownMetadataRecord } from './metadata-record-codec.ts'
import { UnusableDirectory, reasonOf } from './unusable-directory.ts'

/** What KRaft holds to: larger batches are split into a metadata transaction. */
export const BATCH_BYTES_MAX = 8 * 1024 * 1024
export const BATCH_RECORDS_MAX = 10_000

export interface MetadataBatch {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly leaderEpoch: number
  readonly maxTimestamp: bigint
  readonly sizeBytes: number
  readonly control: readonly ControlRecord[]
  /** Empty in a control batch. */
  readonly data: readonly { readonly offset: bigint; readonly version: number; readonly record: MetadataRecord }[]
}

/**
 * The batches in `bytes`, one after the other. `fileAt` names the file that holds an offset, for the report.
 *
 * @throws UnusableDirectory at the first batch that is cut short, fails its checksum or holds what is unknown
 */
export function* readMetadataBatches(
  bytes: Uint8Array,
  crc32c: Crc32c,
  fileAt: (offset: bigint) => string,
): Generator<MetadataBatch, void> {
  const view = new RecordBatchView(bytes)
  const decoder = new MetadataRecordDecoder(bytes)
  for (let expected = 0n; view.at < bytes.length; view.at += view.sizeBytes) {
    const left = bytes.length - view.at
    if (left < BYTES_UP_TO_MAGIC || view.sizeBytes < BATCH_HEADER_BYTES || view.sizeBytes > left) {
      throw new UnusableDirectory(fileAt(expected), `a batch is cut short (${left} bytes are left)`, expected)
    }
    const problem = problemOf(view, crc32c)
    if (problem !== null) throw new UnusableDirectory(fileAt(view.baseOffset), problem, view.baseOffset)
    yield readBatch(view, decoder, fileAt)
    expected = view.lastOffset + 1n
  }
}

function problemOf(view: RecordBatchView, crc32c: Crc32c): string | null {
  if (view.magic !== 2) return `a batch has magic ${view.magic}, not 2`
  if (crc32c(view.checksummed()) !== view.crc) return 'the checksum of the batch does not hold'
  if (view.codec !== 'none') return 'the batch is compressed, which the metadata log never is'
  return scanRecords(view.records(), view.count).problem
}

function readBatch(
  view: RecordBatchView,
  decoder: MetadataRecordDecoder,
  fileAt: (offset: bigint) => string,
): MetadataBatch {
  const control: ControlRecord[] = []
  const data: { offset: bigint; version: number; record: MetadataRecord }[] = []
  for (const { offset, key, value } of readRecords(view, view.records())) {
    try {
      if (view.isControl) control.push(decodeControlRecord(key, value))
      else if (value === null) throw new UnknownMetadataRecord('the record has no value')
      else data.push({ offset, ...decoder.decode(value) })
    } catch (error) {
      throw new UnusableDirectory(fileAt(offset), reasonOf(error), offset, error)
    }
  }
  return {
    baseOffset: view.baseOffset,
    lastOffset: view.lastOffset,
    leaderEpoch: view.leaderEpoch,
    maxTimestamp: view.maxTimestamp,
    sizeBytes: view.sizeBytes,
    control,
    data,
  }
}

/** Where a new batch goes. */
export interface BatchPlace {
  readonly baseOffset: bigint
  readonly leaderEpoch: number
  readonly timestamp: bigint
}

export function controlBatch(records: readonly ControlRecord[], place: BatchPlace, crc32c: Crc32c): Uint8Array {
  const logRecords = records.map((record) => controlLogRecord(record, place.timestamp))
  return buildBatch(logRecords, { ...place, control: true }, crc32c)
}

/** A batch around encoded metadata records. */
export function dataBatch(values: readonly Uint8Array[], place: BatchPlace, crc32c: Crc32c): Uint8Array {
  const logRecords = values.map((value) => ({ timestamp: place.timestamp, key: null, value }))
  return buildBatch(logRecords, place, crc32c)
}

/** Cuts encoded records into runs that fit into a batch each. */
export function batchRuns(values: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const runs: Uint8Array[][] = []
  let run: Uint8Array[] = []
  let bytes = 0
  for (const value of values) {
    // A record's own framing takes up to 26 bytes.
    const size = value.length + 26
    if (run.length > 0 && (bytes + size > BATCH_BYTES_MAX - BATCH_HEADER_BYTES || run.length === BATCH_RECORDS_MAX)) {
      runs.push(run)
      run = []
      bytes = 0
    }
    run.push(value)
    bytes += size
  }
  if (run.length > 0) runs.push(run)
  return runs
}
