/**
 * Copies one log into another of the same partition, batch by batch and byte for byte, as a follower would: goes on
 * where the copy ends, keeps the producer states and the aborted transactions, and begins segments by the copy's own
 * plan. The original may grow and be trimmed meanwhile.
 */
import type { AbortedTransaction } from '../domain/log/aborted-transaction.ts'
import { readEndMarker } from '../domain/log/end-marker.ts'
import { endOffsetForEpoch } from '../domain/log/leader-epochs.ts'
import { encodeProducerSnapshot } from '../domain/log/producer-snapshot.ts'
import type { ProducerStates } from '../domain/log/producer-state.ts'
import { RecordBatchView, batchBytesAt } from '../domain/log/record-batch.ts'
import type { Checksum } from './ports/checksum.ts'
import type { Clock } from './ports/clock.ts'
import { StorageError, type PartitionLog, type StampedBatch } from './ports/log-store.ts'
import { joinedSlice } from './joined-slice.ts'

const READ_BYTES = 1 << 20

export interface CopyPorts {
  readonly checksum: Checksum
  readonly clock: Clock
}

export class LogCopy {
  readonly log: PartitionLog
  readonly #producers: ProducerStates
  readonly #ports: CopyPorts

  /** @param producers the states at the end of `log` */
  constructor(log: PartitionLog, producers: ProducerStates, ports: CopyPorts) {
    this.log = log
    this.#producers = producers
    this.#ports = ports
  }

  /** Copies the next batches below `end`; answers how many bytes, 0 = the copy reaches it. */
  async next(from: PartitionLog, end: bigint): Promise<number> {
    const at = this.log.range().end
    if (at >= end) return 0
    const slice = await from.read(at, { bytesMax: READ_BYTES, atLeastOne: true, before: end })
    try {
      if (slice.bytes === 0) throw new StorageError(`nothing can be read at ${at}, before ${end}`)
      const aborted = await from.abortedTransactions(at, slice.nextOffset)
      const batches = this.#batches(joinedSlice(slice), new Map(aborted.map((one) => [one.lastOffset, one])))
      // where compaction left a gap the batches begin later than the copy ends
      if ((await this.log.append(at, batches)) === 'conflict') throw new StorageError(`the copy ends no more at ${at}`)
      return slice.bytes
    } finally {
      slice.release()
    }
  }

  #batches(bytes: Uint8Array, aborted: ReadonlyMap<bigint, AbortedTransaction>): StampedBatch[] {
    const batches: StampedBatch[] = []
    const nowMs = this.#ports.clock.nowMs()
    const view = new RecordBatchView(bytes)
    for (let size = batchBytesAt(view); size > 0; size = batchBytesAt(view)) {
      const { baseOffset, lastOffset, maxTimestamp, leaderEpoch } = view
      const announced = this.log.announce({ sizeBytes: size, lastOffset, maxTimestamp }, nowMs)
      const transaction = view.isControl ? aborted.get(lastOffset) : undefined
      batches.push({
        ...{ bytes: bytes.subarray(view.at, view.at + size), baseOffset, lastOffset, maxTimestamp, leaderEpoch },
        ...(announced === 'new segment' && { newSegment: { snapshot: this.#snapshot() } }),
        ...(transaction !== undefined && { aborted: transaction }),
      })
      this.#producers.evolve(view, view.isControl ? readEndMarker(view) : null)
      view.at += size
    }
    return batches
  }

  /** Keeps the producer states, so that whoever opens the copy next need not read it. */
  async save(): Promise<void> {
    await this.log.saveSnapshot({ offset: this.log.range().end, bytes: this.#snapshot() })
  }

  #snapshot(): Uint8Array {
    return encodeProducerSnapshot(this.#producers, (bytes) => this.#ports.checksum.crc32c(bytes))
  }
}

/**
 * Whether what an earlier process copied is a part of the log as it is now, once what the log lost is cut from it: a
 * crash may have cut the log below the copy's end (KIP-101). False = the copy has to begin anew.
 */
export async function fitCopy(copy: PartitionLog, log: PartitionLog): Promise<boolean> {
  const { start, end } = log.range()
  const had = copy.range()
  if (had.end < start || had.start > start) return false
  const last = copy.leaderEpochs().at(-1)
  const ended = last === undefined ? null : endOffsetForEpoch(log.leaderEpochs(), last.epoch, end)
  if (last !== undefined && ended?.epoch !== last.epoch) return false
  const common = ended !== null && ended.endOffset < had.end ? ended.endOffset : had.end
  const to = common < end ? common : end
  if (to < had.start) return false
  if (to < had.end) await copy.truncate(to)
  return true
}
