/**
 * Rebuilds who wrote to a partition when it is opened: from the newest intact snapshot, and from the headers of the
 * batches after it. After a clean stop the snapshot lies at the log's end and no batch is read. Where the storage
 * cannot vouch for its list of aborted transactions it begins early enough to find them again.
 */
import { type AbortedTransaction, firstAbortedFrom } from '../domain/log/aborted-transaction.ts'
import { readEndMarker } from '../domain/log/end-marker.ts'
import { decodeProducerSnapshot } from '../domain/log/producer-snapshot.ts'
import { ProducerStates } from '../domain/log/producer-state.ts'
import { RecordBatchView, batchBytesAt } from '../domain/log/record-batch.ts'
import { joinedSlice } from './joined-slice.ts'
import type { Checksum } from './ports/checksum.ts'
import type { LogSlice, PartitionLog } from './ports/log-store.ts'

const READ_BYTES = 1 << 20

export interface RecoveredProducers {
  readonly states: ProducerStates
  /** A snapshot exists at the log's end: nothing has to be saved unless something is written. */
  readonly saved: boolean
}

export async function recoverProducers(log: PartitionLog, checksum: Checksum): Promise<RecoveredProducers> {
  const { start, end } = log.range()
  const { unsoundFrom } = log
  let from = start
  let states = new ProducerStates()
  let snapshot = await log.loadSnapshot(unsoundFrom ?? end)
  let saved = false
  // One from below the start does not know what ended before the start, and there it cannot be read any more.
  while (snapshot !== null && snapshot.offset >= start) {
    const loaded = decodeProducerSnapshot(snapshot.bytes, (bytes) => checksum.crc32c(bytes))
    if (loaded !== null) {
      states = loaded
      saved = snapshot.offset === end
      from = snapshot.offset
      break
    }
    snapshot = snapshot.offset === start ? null : await log.loadSnapshot(snapshot.offset - 1n)
  }
  const aborted: AbortedTransaction[] = []
  while (from < end) {
    const slice = await log.read(from, { bytesMax: READ_BYTES, atLeastOne: true, before: end })
    aborted.push(...replay(states, slice, from))
    // The last offsets need not have records: what they held was compacted away, or lost with the power.
    if (slice.nextOffset <= from) break
    from = slice.nextOffset
  }
  if (unsoundFrom !== null) {
    await log.restoreAborted(unsoundFrom, aborted.slice(firstAbortedFrom(aborted, unsoundFrom)))
  }
  return { states, saved }
}

/** Answers the transactions that were aborted. Batches that end before `from` count already (a slice begins with the batch that holds `from`). */
function replay(states: ProducerStates, slice: LogSlice, from: bigint): AbortedTransaction[] {
  const aborted: AbortedTransaction[] = []
  try {
    const view = new RecordBatchView(joinedSlice(slice))
    for (let bytes = batchBytesAt(view); bytes > 0; bytes = batchBytesAt(view)) {
      // Message sets of magic 0 and 1 know no producers.
      if (view.magic === 2 && view.lastOffset >= from) {
        const ended = states.evolve(view, view.isControl ? readEndMarker(view) : null)
        if (ended !== null) aborted.push(ended)
      }
      view.at += bytes
    }
    return aborted
  } finally {
    slice.release()
  }
}
