/** Finds a record inside one stored batch, which the storage knows only as bytes. */
import { RecordBatchView } from '../domain/log/record-batch.ts'
import type { FoundRecord } from '../domain/log/record.ts'
import type { TimestampOffset } from './ports/log-store.ts'

/** @throws CorruptCompressedData */
export function findInBatch(
  batch: Uint8Array,
  sectionOf: (view: RecordBatchView) => Uint8Array,
  find: (view: RecordBatchView, section: Uint8Array) => FoundRecord | null,
): TimestampOffset | null {
  const view = new RecordBatchView(batch)
  // Message sets of magic 0 and 1, which very old logs may hold, are not searched.
  if (view.magic !== 2) return null
  const found = find(view, sectionOf(view))
  return found === null ? null : { timestamp: found.timestamp, offset: found.offset, leaderEpoch: view.leaderEpoch }
}
