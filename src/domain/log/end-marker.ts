/**
 * The control record that ends a transaction in a partition (KIP-98): a batch with the control and transactional
 * bits and one plain record, key = version int16 and type int16, value = version int16 and coordinator epoch int32.
 * Control batches of the metadata log (leader change, snapshot header …) are none and yield null.
 */
import type { RecordBatchView } from './record-batch.ts'
import { RecordCursor } from './record.ts'

export interface EndMarker {
  readonly committed: boolean
  readonly coordinatorEpoch: number
}

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
  if (type !== 0 && type !== 1) return null
  return { committed: type === 1, coordinatorEpoch: new DataView(value.buffer, value.byteOffset).getInt32(2) }
}
