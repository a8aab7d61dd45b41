/**
 * The control record that ends a transaction in a partition (KIP-98): a batch with the control and transactional
 * bits and one plain record, key = version int16 and type int16, value = version int16 and coordinator epoch int32.
 * Control batches of the metadata log (leader change, snapshot header …) are none and yield null.
 */
import type { Crc32c } from './batch-writer.ts'
import {
  BATCH_HEADER_BYTES,
  CONTROL_BIT,
  CRC_COVERS_FROM,
  RecordBatchView,
  TRANSACTIONAL_BIT,
  writeBatchHeader,
} from './record-batch.ts'
import { RecordCursor } from './record.ts'

export interface EndMarker {
  readonly committed: boolean
  readonly coordinatorEpoch: number
}

/** A marker on its way into a partition. */
export interface NewEndMarker extends EndMarker {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly timestamp: bigint
}

const ABORT = 0
const COMMIT = 1
const KEY_BYTES = 4
const VALUE_BYTES = 6

/** What the control batch says, or null when it ends no transaction. */
export function readEndMarker(batch: RecordBatchView): EndMarker | null {
  if (!batch.isControl || !batch.isTransactional || batch.count < 1) return null
  const bytes = batch.records()
  const cursor = new RecordCursor(bytes)
  cursor.varint()
  cursor.at++
  cursor.varlong()
  cursor.varint()
  const keyBytes = cursor.varint()
  const keyAt = cursor.at
  if (keyBytes < KEY_BYTES) return null
  cursor.at += keyBytes
  if (cursor.varint() < VALUE_BYTES || cursor.at + VALUE_BYTES > bytes.length) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const type = view.getInt16(keyAt + 2)
  if (type !== ABORT && type !== COMMIT) return null
  return { committed: type === COMMIT, coordinatorEpoch: view.getInt32(cursor.at + 2) }
}

/** Length, attributes, deltas, key with version 0, value with version 0, no headers. */
const RECORD = [0x20, 0, 0, 0, 0x08, 0, 0, 0, ABORT, 0x0c, 0, 0, 0, 0, 0, 0, 0]
const AT_TYPE = BATCH_HEADER_BYTES + 8
const AT_COORDINATOR_EPOCH = BATCH_HEADER_BYTES + 12

/** The batch of a marker: 78 bytes, as Kafka writes it. */
export function buildEndMarker(marker: NewEndMarker, crc32c: Crc32c): Uint8Array {
  const bytes = new Uint8Array(BATCH_HEADER_BYTES + RECORD.length)
  writeBatchHeader(bytes, {
    baseOffset: 0n,
    sizeBytes: bytes.length,
    leaderEpoch: -1,
    attributes: TRANSACTIONAL_BIT | CONTROL_BIT,
    lastOffsetDelta: 0,
    baseTimestamp: marker.timestamp,
    maxTimestamp: marker.timestamp,
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    baseSequence: -1,
    count: 1,
  })
  bytes.set(RECORD, BATCH_HEADER_BYTES)
  if (marker.committed) bytes[AT_TYPE] = COMMIT
  new DataView(bytes.buffer).setInt32(AT_COORDINATOR_EPOCH, marker.coordinatorEpoch)
  new RecordBatchView(bytes).setCrc(crc32c(bytes.subarray(CRC_COVERS_FROM)))
  return bytes
}

/** The same marker for so many partitions, in one piece of memory: their offsets are stamped, and not in the CRC. */
export function buildEndMarkers(marker: NewEndMarker, count: number, crc32c: Crc32c): RecordBatchView[] {
  const one = buildEndMarker(marker, crc32c)
  const all = new Uint8Array(one.length * count)
  return Array.from({ length: count }, (_, i) => {
    all.set(one, i * one.length)
    return new RecordBatchView(all.subarray(i * one.length, (i + 1) * one.length))
  })
}
