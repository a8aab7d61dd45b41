/** Reads a partition from its start to its end, batch by batch, for whoever rebuilds a state from it. */
import { readEndMarker } from '../domain/log/end-marker.ts'
import { NO_PRODUCER_ID, RecordBatchView, batchBytesAt } from '../domain/log/record-batch.ts'
import { readRecords, type LogRecord } from '../domain/log/record.ts'
import type { HostedPartition } from './hosted-partition.ts'
import { joinedSlice } from './joined-slice.ts'
import type { Compressor } from './ports/compressor.ts'
import { StorageError, type LogSlice } from './ports/log-store.ts'
import { plainSection } from './prepare-batch.ts'

export interface ReplayedLog {
  /** Open. */
  readonly hosted: HostedPartition
  readonly bytesMax: number
  readonly compressor: Compressor
  /** Asked between reads. */
  readonly stopped: () => boolean
}

export interface ReplayListener {
  /** A record, valid during the call; `producerId` -1 = not part of a transaction. */
  record(record: LogRecord, producerId: bigint): void
  endTransaction(producerId: bigint, committed: boolean): void
}

/** A compressed batch of internal records larger than this is not Kafka's. */
const SECTION_BYTES_MAX = 256 * 1024 * 1024

/** @throws StorageError, CorruptCompressedData, and whatever the listener throws */
export async function replayLog(log: ReplayedLog, listener: ReplayListener): Promise<void> {
  const { hosted, bytesMax, stopped } = log
  let from = hosted.logStartOffset
  const end = hosted.highWatermark
  while (from < end && !stopped()) {
    const slice = await hosted.read(from, { bytesMax, atLeastOne: true }, 'read uncommitted')
    if (slice.nextOffset <= from) {
      slice.release()
      throw new StorageError(`The log ends at ${from}, before its end offset ${end}`)
    }
    replaySlice(slice, from, log.compressor, listener)
    from = slice.nextOffset
  }
}

function replaySlice(slice: LogSlice, from: bigint, compressor: Compressor, listener: ReplayListener): void {
  try {
    const view = new RecordBatchView(joinedSlice(slice))
    for (let bytes = batchBytesAt(view); bytes > 0; bytes = batchBytesAt(view)) {
      if (view.magic === 2) replayBatch(view, from, compressor, listener)
      view.at += bytes
    }
  } finally {
    slice.release()
  }
}

function replayBatch(view: RecordBatchView, from: bigint, compressor: Compressor, listener: ReplayListener): void {
  if (view.isControl) {
    const marker = readEndMarker(view)
    if (marker !== null) listener.endTransaction(view.producerId, marker.committed)
    return
  }
  const producerId = view.isTransactional ? view.producerId : NO_PRODUCER_ID
  for (const record of readRecords(view, plainSection(view, compressor, SECTION_BYTES_MAX))) {
    // A slice begins with the batch that holds `from`.
    if (record.offset >= from) listener.record(record, producerId)
  }
}
