/**
 * What compaction leaves of a batch, as Kafka's cleaner decides it: of each key the newest record, and a tombstone
 * until its delete horizon has passed (KIP-534). Offsets, sequences and the batch's last offset stay as they were, so
 * that neither readers nor producers notice; timestamps of the header become those of the records that are left.
 *
 * Pure: codec and checksum are arguments, the records section comes decompressed. Message sets of magic 0 and 1 are
 * not compacted here.
 */
import type { CleanedTransactions } from './cleaned-transactions.ts'
import type { AbortedTransaction } from './aborted-transaction.ts'
import type { Crc32c } from './batch-writer.ts'
import { RecordWriter, varlongBytes } from './batch-writer.ts'
import type { OffsetMap } from './offset-map.ts'
import type { LastOfProducer } from './producer-state.ts'
import {
  BATCH_HEADER_BYTES,
  CODEC_MASK,
  CRC_COVERS_FROM,
  DELETE_HORIZON_BIT,
  NO_PRODUCER_ID,
  NO_TIMESTAMP,
  RecordBatchView,
  writeBatchHeader,
} from './record-batch.ts'
import { RecordCursor } from './record.ts'

/** What holds for a whole round of compaction. */
export interface CompactionRound {
  readonly map: OffsetMap
  readonly nowMs: bigint
  readonly deleteRetentionMs: bigint
  readonly lastOfProducers: ReadonlyMap<bigint, LastOfProducer>
  /** The first offset that this round does not look at. */
  readonly before: bigint
}

/** What becomes of a batch before its records are looked at. */
export interface BatchVerdict {
  /** None of its records stays, whatever their keys. */
  readonly discarded: boolean
  /** It stays, empty, even when no record does: its producer's state or the end of the round hangs on it. */
  readonly keptEmpty: boolean
  /** A marker of a transaction of which nothing is left: it gets a delete horizon, as a tombstone does. */
  readonly idleMarker: boolean
  /** Present for the abort marker of a transaction that readers must still be told of. */
  readonly aborted: AbortedTransaction | null
}

/** Judges a batch; called once for each batch of the round, in order. */
export function judgeBatch(
  batch: RecordBatchView,
  transactions: CleanedTransactions,
  round: CompactionRound,
): BatchVerdict {
  const keptEmpty = isLastOfProducer(batch, round) || batch.lastOffset + 1n === round.before
  if (!batch.isControl) {
    return { discarded: transactions.seeBatch(batch), keptEmpty, idleMarker: false, aborted: null }
  }
  const { done, kept } = transactions.seeControlBatch(batch)
  const discarded = done && batch.hasDeleteHorizon && batch.baseTimestamp <= round.nowMs
  return { discarded, keptEmpty, idleMarker: done, aborted: kept }
}

function isLastOfProducer(batch: RecordBatchView, { lastOfProducers }: CompactionRound): boolean {
  if (batch.producerId === NO_PRODUCER_ID) return false
  const last = lastOfProducers.get(batch.producerId)
  if (last === undefined) return false
  if (last.lastDataOffset >= 0n) return last.lastDataOffset === batch.lastOffset
  return batch.isControl && batch.producerEpoch === last.epoch
}

/**
 * Notes the keys of a batch that lie at `from` or later in the map; `section` is its plain records section. False =
 * the map is full, and the records from then on are not in it.
 */
export function mapKeys(batch: RecordBatchView, section: Uint8Array, from: bigint, map: OffsetMap): boolean {
  const cursor = new RecordCursor(section)
  const base = map.relative(batch.baseOffset)
  const skipped = Number(from - batch.baseOffset)
  for (let left = batch.count; left > 0; left--) {
    const recordEnd = cursor.varint() + cursor.at
    cursor.at++
    cursor.varlong()
    const delta = cursor.varint()
    const keyBytes = cursor.varint()
    if (keyBytes >= 0 && delta >= skipped) {
      if (!map.put(section, cursor.at, cursor.at + keyBytes, base + delta)) return false
    }
    cursor.at = recordEnd
  }
  return true
}

/** Which records of a batch stay. */
interface Survivors {
  /** Where each of them begins (its length field) and ends in the section, in pairs. */
  readonly places: readonly number[]
  readonly all: boolean
  readonly tombstone: boolean
}

function survivorsOf(batch: RecordBatchView, section: Uint8Array, round: CompactionRound): Survivors {
  const { map, nowMs } = round
  const cursor = new RecordCursor(section)
  const base = map.relative(batch.baseOffset)
  const mapped = map.relative(map.latestOffset)
  const tombstonesGo = batch.hasDeleteHorizon && nowMs >= batch.baseTimestamp
  const control = batch.isControl
  const places: number[] = []
  let tombstone = false
  for (let left = batch.count; left > 0; left--) {
    const at = cursor.at
    const recordEnd = cursor.varint() + cursor.at
    cursor.at++
    cursor.varlong()
    const offset = base + cursor.varint()
    const keyBytes = cursor.varint()
    const keyAt = cursor.at
    if (keyBytes > 0) cursor.at += keyBytes
    const hasValue = cursor.varint() >= 0
    cursor.at = recordEnd
    const stays =
      control ||
      offset > mapped ||
      (keyBytes >= 0 && (hasValue || !tombstonesGo) && !map.hasNewer(section, keyAt, keyAt + keyBytes, offset))
    if (!stays) continue
    places.push(at, recordEnd)
    if (!hasValue) tombstone = true
  }
  return { places, all: places.length === batch.count * 2, tombstone }
}

/** How the bytes of a changed batch are finished. */
export interface BatchFinish {
  /** By the codec of the batch; not called for plain ones. */
  readonly compress: (section: Uint8Array) => Uint8Array
  readonly crc32c: Crc32c
}

/**
 * What is left of a batch: 'whole' as it is, new bytes, or null for nothing. `section` is its plain records section
 * (of a discarded batch it is not looked at).
 */
export function compactBatch(
  batch: RecordBatchView,
  section: Uint8Array,
  verdict: BatchVerdict,
  round: CompactionRound,
  finish: BatchFinish,
): 'whole' | Uint8Array | null {
  const survivors = verdict.discarded ? null : survivorsOf(batch, section, round)
  if (survivors === null || survivors.places.length === 0) {
    return verdict.keptEmpty ? emptied(batch, finish.crc32c) : null
  }
  const horizonDue = (survivors.tombstone || verdict.idleMarker) && !batch.hasDeleteHorizon
  if (survivors.all && !horizonDue) return 'whole'
  const horizon = horizonDue
    ? round.nowMs + round.deleteRetentionMs
    : batch.hasDeleteHorizon
      ? batch.baseTimestamp
      : null
  return rebuilt(batch, section, survivors.places, horizon, finish)
}

/** The header of a batch whose records are all gone: what producers and followers are known by. */
function emptied(batch: RecordBatchView, crc32c: Crc32c): Uint8Array {
  const bytes = new Uint8Array(BATCH_HEADER_BYTES)
  writeBatchHeader(bytes, {
    ...headerOf(batch),
    sizeBytes: bytes.length,
    attributes: batch.attributes & ~(CODEC_MASK | DELETE_HORIZON_BIT),
    baseTimestamp: NO_TIMESTAMP,
    maxTimestamp: batch.maxTimestamp,
    count: 0,
  })
  return withCrc(bytes, crc32c)
}

function rebuilt(
  batch: RecordBatchView,
  section: Uint8Array,
  places: readonly number[],
  horizon: bigint | null,
  finish: BatchFinish,
): Uint8Array {
  const cursor = new RecordCursor(section)
  const timestamps = timestampsOf(batch, cursor, places)
  const baseTimestamp = horizon ?? timestamps[0]!
  let maxTimestamp = NO_TIMESTAMP
  for (const timestamp of timestamps) if (timestamp > maxTimestamp) maxTimestamp = timestamp
  const kept = places.reduce((sum, place, i) => (i % 2 === 0 ? sum - place : sum + place), 0)
  // a timestamp takes at most nine bytes more than it did, and may lengthen its record's size field by one
  const writer = new RecordWriter(new Uint8Array(kept + timestamps.length * 10), 0)
  timestamps.forEach((timestamp, i) => {
    cursor.at = places[i * 2]!
    cursor.varint()
    const attributes = section[cursor.at++]!
    cursor.varlong()
    const tail = section.subarray(cursor.at, places[i * 2 + 1])
    const delta = timestamp - baseTimestamp
    writer.varint(1 + varlongBytes(delta) + tail.length)
    writer.bytes[writer.at++] = attributes
    writer.varlong(delta)
    writer.raw(tail)
  })
  const plain = writer.bytes.subarray(0, writer.at)
  const stored = batch.codec === 'none' ? plain : finish.compress(plain)
  const bytes = new Uint8Array(BATCH_HEADER_BYTES + stored.length)
  bytes.set(stored, BATCH_HEADER_BYTES)
  writeBatchHeader(bytes, {
    ...headerOf(batch),
    sizeBytes: bytes.length,
    attributes: horizon === null ? batch.attributes : batch.attributes | DELETE_HORIZON_BIT,
    baseTimestamp,
    maxTimestamp: batch.isLogAppendTime ? batch.maxTimestamp : maxTimestamp,
    count: timestamps.length,
  })
  return withCrc(bytes, finish.crc32c)
}

function timestampsOf(batch: RecordBatchView, cursor: RecordCursor, places: readonly number[]): bigint[] {
  const base = batch.baseTimestamp
  const appendTime = batch.isLogAppendTime ? batch.maxTimestamp : null
  const timestamps: bigint[] = []
  for (let i = 0; i < places.length; i += 2) {
    cursor.at = places[i]!
    cursor.varint()
    const deltaAt = ++cursor.at
    let delta: bigint
    const small = cursor.varlong()
    if (Number.isNaN(small)) {
      cursor.at = deltaAt
      delta = cursor.bigVarlong()
    } else delta = BigInt(small)
    timestamps.push(appendTime ?? base + delta)
  }
  return timestamps
}

/** The fields that compaction never changes. */
function headerOf(batch: RecordBatchView) {
  const { baseOffset, leaderEpoch, lastOffsetDelta, producerId, producerEpoch, baseSequence } = batch
  return { baseOffset, leaderEpoch, lastOffsetDelta, producerId, producerEpoch, baseSequence }
}

function withCrc(bytes: Uint8Array, crc32c: Crc32c): Uint8Array {
  new RecordBatchView(bytes).setCrc(crc32c(bytes.subarray(CRC_COVERS_FROM)))
  return bytes
}
