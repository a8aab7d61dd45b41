/**
 * Who wrote to a partition: for each producer id its epoch, its last five batches and its open transaction, as
 * idempotence (KIP-98, KIP-360) and read-committed readers need it.
 *
 * `decide` reads, `evolve` is the only thing that writes; replaying a log through `evolve` rebuilds the state, from a
 * snapshot on (producer-snapshot.ts). Columns instead of objects: about 150 bytes a producer, of which a partition may
 * see many thousands. It does not know transactions themselves: who may begin or end one is decided elsewhere.
 */
import type { KafkaError } from '../errors.ts'
import type { AbortedTransaction } from './aborted-transaction.ts'
import type { EndMarker } from './end-marker.ts'
import { OpenTransactions } from './open-transactions.ts'
import { BATCHES, NONE, ProducerColumns } from './producer-columns.ts'
import type { RecordBatchView } from './record-batch.ts'
import { LEAVE_NOT_CHECKED, TransactionLeaves } from './transaction-leaves.ts'

/** The batch that a repeated one repeats. */
export interface DuplicateBatch {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  /** Its max timestamp: what Kafka answers as the append time of a duplicate, on every kind of topic. */
  readonly timestamp: bigint
}

/** One producer as snapshots hold it: of its batches only the newest. */
export interface ProducerEntry {
  readonly producerId: bigint
  readonly epoch: number
  /** -1 = no batch since the epoch began; so are the next two. */
  readonly lastSequence: number
  readonly lastOffset: bigint
  readonly offsetDelta: number
  readonly timestamp: bigint
  readonly coordinatorEpoch: number
  /** -1 = no open transaction. */
  readonly currentTxnFirstOffset: bigint
}

/** The newest thing that a producer has written in its current epoch. */
export interface LastOfProducer {
  /** The last offset of its newest data batch; -1 = none since the epoch began. */
  readonly lastDataOffset: bigint
  readonly epoch: number
}

/** Client batches are checked for their sequence; the broker's own (`coordinator`) are not. */
export type AppendOrigin = 'client' | 'coordinator'

/** Whether a batch is appended: yes, it is already, or why not. */
type Decision = 'accept' | DuplicateBatch | KafkaError

const MAX_SEQUENCE = 0x7fffffff

/** The sequence `increment` after `sequence`: 0 follows 2^31-1. */
export function addToSequence(sequence: number, increment: number): number {
  return sequence > MAX_SEQUENCE - increment ? increment - (MAX_SEQUENCE - sequence) - 1 : sequence + increment
}

function lastSequenceOf(batch: RecordBatchView): number {
  const base = batch.baseSequence
  return base < 0 ? -1 : addToSequence(base, batch.lastOffsetDelta)
}

export class ProducerStates {
  readonly #rows = new Map<bigint, number>()
  readonly #free: number[] = []
  #columns = new ProducerColumns(1)
  readonly #transactions = new OpenTransactions()
  /** Not part of what is replayed and saved. */
  leaves = new TransactionLeaves()

  get size(): number {
    return this.#rows.size
  }

  /**
   * Whether a data batch with a producer id may be appended; batches without one always may. The first batch of a
   * transaction needs a good `leave` (`ask`); the order of the checks is that of a real broker.
   */
  decide(batch: RecordBatchView, origin: AppendOrigin, leave = LEAVE_NOT_CHECKED): Decision {
    if (!batch.hasProducer) return 'accept'
    const producerId = batch.producerId
    const row = this.#rows.get(producerId)
    const columns = this.#columns
    const epoch = batch.producerEpoch
    const current = row === undefined ? -1 : columns.epoch[row]!
    if (row !== undefined && origin === 'client' && epoch === current) {
      const duplicate = this.#duplicate(row, batch)
      if (duplicate !== null) return duplicate
    }
    const begins = batch.isTransactional && !this.#isInTransaction(row, epoch)
    if (begins && !this.leaves.admits(producerId, leave)) return 'INVALID_TXN_STATE'
    if (epoch < current) return 'INVALID_PRODUCER_EPOCH'
    // Also a batch of no transaction has to be in sequence with one that waits for its leave (observed on 4.3.1).
    const isEmpty = row === undefined || columns.known[row] === 0
    if (origin === 'client' && !this.leaves.inSequence(batch, isEmpty)) return 'OUT_OF_ORDER_SEQUENCE_NUMBER'
    // Unknown, perhaps because retention removed its batches: any sequence may begin (observed on Kafka 4.3).
    if (row === undefined) return 'accept'
    if (origin === 'client' && !this.#inSequence(row, epoch, batch.baseSequence)) return 'OUT_OF_ORDER_SEQUENCE_NUMBER'
    if (columns.txnFirstOffset[row] !== NONE && !batch.isTransactional) return 'INVALID_TXN_STATE'
    return 'accept'
  }

  /**
   * Whether a marker may end the producer's transaction. Markers of transaction version 2 come with a raised epoch
   * (KIP-890): one of the present epoch is late, unless it repeats the marker that raised it (KIP-1228).
   */
  decideMarker(batch: RecordBatchView, marker: EndMarker, transactionVersion: number): 'accept' | KafkaError {
    const row = this.#rows.get(batch.producerId)
    if (row === undefined) return 'accept'
    const columns = this.#columns
    const epoch = batch.producerEpoch
    const current = columns.epoch[row]!
    if (epoch < current) return 'INVALID_PRODUCER_EPOCH'
    const isLate = transactionVersion >= 2 && epoch === current && columns.txnFirstOffset[row] !== NONE
    if (isLate) return 'INVALID_PRODUCER_EPOCH'
    return marker.coordinatorEpoch < columns.coordinatorEpoch[row]! ? 'TRANSACTION_COORDINATOR_FENCED' : 'accept'
  }

  /** Whether the producer has a transaction open here that it began with this epoch. */
  isInTransaction(producerId: bigint, epoch: number): boolean {
    return this.#isInTransaction(this.#rows.get(producerId), epoch)
  }

  /** Whether a batch of this epoch comes too late: the producer is known here with a newer one. */
  isStale(producerId: bigint, epoch: number): boolean {
    const row = this.#rows.get(producerId)
    return row !== undefined && epoch < this.#columns.epoch[row]!
  }

  #isInTransaction(row: number | undefined, epoch: number): boolean {
    return row !== undefined && this.#columns.txnFirstOffset[row] !== NONE && this.#columns.epoch[row] === epoch
  }

  #inSequence(row: number, epoch: number, baseSequence: number): boolean {
    const columns = this.#columns
    const current = columns.epoch[row]!
    if (current === -1) return true
    if (epoch !== current) return baseSequence === 0
    const newest = columns.newest(row)
    const last = newest === -1 ? -1 : columns.lastSequence[newest]!
    return baseSequence === addToSequence(last, 1)
  }

  #duplicate(row: number, batch: RecordBatchView): DuplicateBatch | null {
    const columns = this.#columns
    const base = batch.baseSequence
    const last = lastSequenceOf(batch)
    for (let i = 0; i < columns.known[row]!; i++) {
      const at = row * BATCHES + i
      const delta = columns.offsetDelta[at]!
      if (columns.lastSequence[at] !== last || delta !== batch.lastOffsetDelta || base < 0) continue
      const lastOffset = columns.lastOffset[at]!
      return { baseOffset: lastOffset - BigInt(delta), lastOffset, timestamp: columns.batchTimestamp[at]! }
    }
    return null
  }

  /**
   * A batch took its place in the log: its offsets are stamped. `marker` is what a control batch says, else null.
   * Answers the transaction that it aborts, if it does.
   */
  evolve(batch: RecordBatchView, marker: EndMarker | null): AbortedTransaction | null {
    if (!batch.hasProducer) return null
    const producerId = batch.producerId
    if (batch.isTransactional) this.leaves.drop(producerId)
    if (batch.isControl) return marker === null ? null : this.#endTransaction(producerId, batch, marker)
    const row = this.#row(producerId)
    const columns = this.#columns
    columns.enterEpoch(row, batch.producerEpoch)
    const baseOffset = batch.baseOffset
    const delta = batch.lastOffsetDelta
    columns.addBatch(row, lastSequenceOf(batch), baseOffset + BigInt(delta), delta, batch.maxTimestamp)
    if (batch.isTransactional && columns.txnFirstOffset[row] === NONE) {
      columns.txnFirstOffset[row] = baseOffset
      this.#transactions.begin(producerId, baseOffset)
    }
    return null
  }

  #endTransaction(producerId: bigint, batch: RecordBatchView, marker: EndMarker): AbortedTransaction | null {
    const row = this.#row(producerId)
    const columns = this.#columns
    columns.enterEpoch(row, batch.producerEpoch)
    columns.coordinatorEpoch[row] = marker.coordinatorEpoch
    columns.timestamp[row] = batch.maxTimestamp
    const firstOffset = columns.txnFirstOffset[row]!
    if (firstOffset === NONE) return null
    const lastOffset = batch.baseOffset
    columns.txnFirstOffset[row] = NONE
    this.#transactions.end(producerId, lastOffset)
    if (marker.committed) return null
    // As Kafka has it in `.txnindex`: whatever is not decided yet, written or not.
    return { producerId, firstOffset, lastOffset, lastStableOffset: this.#transactions.firstOpen() ?? lastOffset + 1n }
  }

  /**
   * The first offset that a read-committed reader must not pass when everything below `writtenEnd` is written: of the
   * first transaction that is open or whose marker is not written yet. null = none. `writtenEnd` never goes back.
   */
  firstUnstableOffset(writtenEnd: bigint): bigint | null {
    return this.#transactions.firstUnstable(writtenEnd)
  }

  /** Forgets producers that wrote nothing for `expirationMs` and have no open transaction. */
  expire(nowMs: bigint, expirationMs: bigint): void {
    this.leaves.expire(nowMs, expirationMs)
    for (const [producerId, row] of this.#rows) {
      const idleMs = nowMs - this.#columns.timestamp[row]!
      if (idleMs < expirationMs || this.#columns.txnFirstOffset[row] !== NONE) continue
      this.#rows.delete(producerId)
      this.#free.push(row)
    }
  }

  /** What a snapshot keeps. */
  *entries(): Generator<ProducerEntry, void, undefined> {
    const columns = this.#columns
    for (const [producerId, row] of this.#rows) {
      const newest = columns.newest(row)
      yield {
        producerId,
        epoch: columns.epoch[row]!,
        lastSequence: newest === -1 ? -1 : columns.lastSequence[newest]!,
        lastOffset: newest === -1 ? NONE : columns.lastOffset[newest]!,
        offsetDelta: newest === -1 ? 0 : columns.offsetDelta[newest]!,
        timestamp: columns.timestamp[row]!,
        coordinatorEpoch: columns.coordinatorEpoch[row]!,
        currentTxnFirstOffset: columns.txnFirstOffset[row]!,
      }
    }
  }

  /** The newest thing that each producer has written: compaction keeps it. */
  lastOfEach(): Map<bigint, LastOfProducer> {
    const columns = this.#columns
    const last = new Map<bigint, LastOfProducer>()
    for (const [producerId, row] of this.#rows) {
      const newest = columns.newest(row)
      const lastDataOffset = newest === -1 ? NONE : columns.lastOffset[newest]!
      last.set(producerId, { lastDataOffset, epoch: columns.epoch[row]! })
    }
    return last
  }

  /** Takes over an entry of a snapshot. */
  restore(entry: ProducerEntry): void {
    const row = this.#row(entry.producerId)
    const columns = this.#columns
    columns.begin(row)
    columns.epoch[row] = entry.epoch
    if (entry.lastOffset >= 0n) {
      columns.addBatch(row, entry.lastSequence, entry.lastOffset, entry.offsetDelta, entry.timestamp)
    }
    columns.timestamp[row] = entry.timestamp
    columns.coordinatorEpoch[row] = entry.coordinatorEpoch
    if (entry.currentTxnFirstOffset < 0n) return
    columns.txnFirstOffset[row] = entry.currentTxnFirstOffset
    this.#transactions.begin(entry.producerId, entry.currentTxnFirstOffset)
  }

  /** The row of a producer, a new one if it is new. */
  #row(producerId: bigint): number {
    const known = this.#rows.get(producerId)
    if (known !== undefined) return known
    const row = this.#free.pop() ?? this.#rows.size
    if (row >= this.#columns.capacity) this.#columns = new ProducerColumns(Math.max(4, row * 2), this.#columns)
    this.#rows.set(producerId, row)
    this.#columns.begin(row)
    return row
  }
}
