/**
 * Who wrote to a partition: for each producer id its epoch, its last five batches and its open transaction, as
 * idempotence (KIP-98, KIP-360) and read-committed readers need it.
 *
 * `decide` reads, `evolve` is the only thing that writes; replaying a log through `evolve` rebuilds the state, from a
 * snapshot on (producer-snapshot.ts). Columns instead of objects: about 150 bytes a producer, of which a partition may
 * see many thousands. It does not know transactions themselves: who may begin or end one is decided elsewhere.
 */
import type { KafkaError } from '../errors.ts'
import type { EndMarker } from './end-marker.ts'
import type { RecordBatchView } from './record-batch.ts'

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

/** How many batches of a producer are remembered: as many as a client may have in flight. */
const BATCHES = 5
const MAX_SEQUENCE = 0x7fffffff
const NONE = -1n

/** The sequence `increment` after `sequence`: 0 follows 2^31-1. */
export function addToSequence(sequence: number, increment: number): number {
  return sequence > MAX_SEQUENCE - increment ? increment - (MAX_SEQUENCE - sequence) - 1 : sequence + increment
}

function lastSequenceOf(batch: RecordBatchView): number {
  const base = batch.baseSequence
  return base < 0 ? -1 : addToSequence(base, batch.lastOffsetDelta)
}

/** One row a producer; rows of expired producers are used again. */
class Columns {
  readonly capacity: number
  readonly epoch: Int16Array
  readonly coordinatorEpoch: Int32Array
  readonly timestamp: BigInt64Array
  readonly txnFirstOffset: BigInt64Array
  /** How many batches are known (0 to 5), and where the next one goes. */
  readonly known: Uint8Array
  readonly next: Uint8Array
  readonly lastSequence: Int32Array
  readonly offsetDelta: Int32Array
  readonly lastOffset: BigInt64Array
  readonly batchTimestamp: BigInt64Array

  constructor(capacity: number, from?: Columns) {
    this.capacity = capacity
    this.epoch = new Int16Array(capacity)
    this.coordinatorEpoch = new Int32Array(capacity)
    this.timestamp = new BigInt64Array(capacity)
    this.txnFirstOffset = new BigInt64Array(capacity)
    this.known = new Uint8Array(capacity)
    this.next = new Uint8Array(capacity)
    this.lastSequence = new Int32Array(capacity * BATCHES)
    this.offsetDelta = new Int32Array(capacity * BATCHES)
    this.lastOffset = new BigInt64Array(capacity * BATCHES)
    this.batchTimestamp = new BigInt64Array(capacity * BATCHES)
    if (from === undefined) return
    this.epoch.set(from.epoch)
    this.coordinatorEpoch.set(from.coordinatorEpoch)
    this.timestamp.set(from.timestamp)
    this.txnFirstOffset.set(from.txnFirstOffset)
    this.known.set(from.known)
    this.next.set(from.next)
    this.lastSequence.set(from.lastSequence)
    this.offsetDelta.set(from.offsetDelta)
    this.lastOffset.set(from.lastOffset)
    this.batchTimestamp.set(from.batchTimestamp)
  }

  begin(row: number): void {
    this.epoch[row] = -1
    this.coordinatorEpoch[row] = -1
    this.timestamp[row] = NONE
    this.txnFirstOffset[row] = NONE
    this.known[row] = 0
    this.next[row] = 0
  }

  addBatch(row: number, lastSequence: number, lastOffset: bigint, offsetDelta: number, timestamp: bigint): void {
    const at = row * BATCHES + this.next[row]!
    this.lastSequence[at] = lastSequence
    this.lastOffset[at] = lastOffset
    this.offsetDelta[at] = offsetDelta
    this.batchTimestamp[at] = timestamp
    this.next[row] = (this.next[row]! + 1) % BATCHES
    if (this.known[row]! < BATCHES) this.known[row]!++
    this.timestamp[row] = timestamp
  }

  /** A new epoch forgets the batches of the one before. */
  enterEpoch(row: number, epoch: number): void {
    if (this.epoch[row] === epoch) return
    this.epoch[row] = epoch
    this.known[row] = 0
    this.next[row] = 0
  }

  /** Where the newest batch is, -1 when none is known. */
  newest(row: number): number {
    return this.known[row] === 0 ? -1 : row * BATCHES + ((this.next[row]! + BATCHES - 1) % BATCHES)
  }
}

export class ProducerStates {
  readonly #rows = new Map<bigint, number>()
  readonly #free: number[] = []
  #columns = new Columns(1)
  /** Open transactions: producer id → first offset. */
  readonly #open = new Map<bigint, bigint>()
  /** Transactions whose end marker has an offset but may not be written yet, in the order of the markers. */
  readonly #ended: { readonly firstOffset: bigint; readonly markerOffset: bigint }[] = []

  get size(): number {
    return this.#rows.size
  }

  /** Whether a data batch with a producer id may be appended; batches without one always may. */
  decide(batch: RecordBatchView, origin: AppendOrigin): 'accept' | DuplicateBatch | KafkaError {
    if (!batch.hasProducer) return 'accept'
    const producerId = batch.producerId
    const row = this.#rows.get(producerId)
    // Unknown, perhaps because retention removed its batches: any sequence may begin (observed on Kafka 4.3).
    if (row === undefined) return 'accept'
    const columns = this.#columns
    const epoch = batch.producerEpoch
    const current = columns.epoch[row]!
    if (origin === 'client' && epoch === current) {
      const duplicate = this.#duplicate(row, batch)
      if (duplicate !== null) return duplicate
    }
    if (epoch < current) return 'INVALID_PRODUCER_EPOCH'
    if (origin === 'client' && !this.#inSequence(row, epoch, batch.baseSequence)) return 'OUT_OF_ORDER_SEQUENCE_NUMBER'
    if (columns.txnFirstOffset[row] !== NONE && !batch.isTransactional) return 'INVALID_TXN_STATE'
    return 'accept'
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

  /** A batch took its place in the log: its offsets are stamped. `marker` is what a control batch says, else null. */
  evolve(batch: RecordBatchView, marker: EndMarker | null): void {
    if (!batch.hasProducer) return
    const producerId = batch.producerId
    if (batch.isControl) {
      if (marker !== null) this.#endTransaction(producerId, batch, marker)
      return
    }
    const row = this.#row(producerId)
    const columns = this.#columns
    columns.enterEpoch(row, batch.producerEpoch)
    const baseOffset = batch.baseOffset
    const delta = batch.lastOffsetDelta
    columns.addBatch(row, lastSequenceOf(batch), baseOffset + BigInt(delta), delta, batch.maxTimestamp)
    if (batch.isTransactional && columns.txnFirstOffset[row] === NONE) {
      columns.txnFirstOffset[row] = baseOffset
      this.#open.set(producerId, baseOffset)
    }
  }

  #endTransaction(producerId: bigint, batch: RecordBatchView, marker: EndMarker): void {
    const row = this.#row(producerId)
    const columns = this.#columns
    columns.enterEpoch(row, batch.producerEpoch)
    columns.coordinatorEpoch[row] = marker.coordinatorEpoch
    columns.timestamp[row] = batch.maxTimestamp
    const firstOffset = columns.txnFirstOffset[row]!
    if (firstOffset === NONE) return
    columns.txnFirstOffset[row] = NONE
    this.#open.delete(producerId)
    this.#ended.push({ firstOffset, markerOffset: batch.baseOffset })
  }

  /**
   * The first offset that a read-committed reader must not pass when everything below `writtenEnd` is written: of the
   * first transaction that is open or whose marker is not written yet. null = none. `writtenEnd` never goes back.
   */
  firstUnstableOffset(writtenEnd: bigint): bigint | null {
    while (this.#ended.length > 0 && this.#ended[0]!.markerOffset < writtenEnd) this.#ended.shift()
    let first: bigint | null = null
    for (const offset of this.#open.values()) if (first === null || offset < first) first = offset
    for (const { firstOffset } of this.#ended) if (first === null || firstOffset < first) first = firstOffset
    return first
  }

  /** Forgets producers that wrote nothing for `expirationMs` and have no open transaction. */
  expire(nowMs: bigint, expirationMs: bigint): void {
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
    this.#open.set(entry.producerId, entry.currentTxnFirstOffset)
  }

  /** The row of a producer, a new one if it is new. */
  #row(producerId: bigint): number {
    const known = this.#rows.get(producerId)
    if (known !== undefined) return known
    const row = this.#free.pop() ?? this.#rows.size
    if (row >= this.#columns.capacity) this.#columns = new Columns(Math.max(4, row * 2), this.#columns)
    this.#rows.set(producerId, row)
    this.#columns.begin(row)
    return row
  }
}
