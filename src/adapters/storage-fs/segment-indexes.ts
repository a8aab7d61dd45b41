/** The two indexes of one segment in memory, and how they grow with its batches. */
import type { SegmentShape } from '../../domain/log/log-segment.ts'
import type { OffsetIndex, TimeIndex } from '../../domain/log/offset-index.ts'

export interface SegmentIndexes {
  readonly offset: OffsetIndex
  readonly time: TimeIndex
}

/** Counts a batch into a segment's numbers and gives it the index entries that are due. */
export function addBatch(
  indexes: SegmentIndexes,
  shape: SegmentShape,
  batch: { readonly sizeBytes: number; readonly lastOffset: bigint; readonly maxTimestamp: bigint },
  indexIntervalBytes: number,
): void {
  const position = shape.sizeBytes
  const timeEntries = shape.timeEntries
  if (!shape.add(batch, indexIntervalBytes)) return
  indexes.offset.append(Number(batch.lastOffset - shape.baseOffset), position)
  if (shape.timeEntries > timeEntries) appendTimeEntry(indexes.time, shape)
}

/** Adds the entry that every segment's time index ends with: its largest timestamp. */
export function endTimeIndex(time: TimeIndex, shape: SegmentShape): void {
  if (shape.takeTimeEntry()) appendTimeEntry(time, shape)
}

function appendTimeEntry(time: TimeIndex, shape: SegmentShape): void {
  time.append(shape.maxTimestamp, Number(shape.maxTimestampOffset - shape.baseOffset))
}
