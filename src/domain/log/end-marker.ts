/**
 * The control record that ends a transaction in a partition (KIP-98): a batch with the control and transactional
 * bits and one plain record, key = version int16 and type int16, value = version int16 and coordinator epoch int32.
 * Control batches of the metadata log (leader change, snapshot header …) are none and yield null.
 */
import { buildBatch, type Crc32c } from './batch-writer.ts'
import type { RecordBatchView } from './record-batch.ts'
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

/** What the control batch says, or null when it ends no transaction. */
export function readEndMarker(batch: RecordBatchView): EndMarker | null {
  if (!batch.isControl || !batch.isTransactional || batch.count < 1) return null
  const cursor = new RecordCursor(batch.records())
  cursor.varint()
  cursor.at++
  cursor.varlong()
  cursor.varint()
  const key = cursor.slice(cursor.varint())
  const value = cursor.slice(cursor.varint())
  if (key === null || value === null || key.length < 4 || value.length < 6) return null
  const type = new DataView(key.buffer, key.byteOffset).getInt16(2)
  if (type !== ABORT && type !== COMMIT) return null
  return { committed: type === COMMIT, coordinatorEpoch: new DataView(value.buffer, value.byteOffset).getInt32(2) }
}

/** The batch of a marker: 78 bytes, as Kafka writes it. */
export function buildEndMarker(marker: NewEndMarker, crc32c: Crc32c): Uint8Array {
  const key = new Uint8Array(4)
  new DataView(key.buffer).setInt16(2, marker.committed ? COMMIT : ABORT)
  const value = new Uint8Array(6)
  new DataView(value.buffer).setInt32(2, marker.coordinatorEpoch)
  const { producerId, producerEpoch, timestamp } = marker
  return buildBatch(
    [{ timestamp, key, value }],
    { transactional: true, control: true, producerId, producerEpoch },
    crc32c,
  )
}
