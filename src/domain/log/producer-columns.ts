/**
 * The columns behind producer-state.ts: one row a producer, with its last five batches. Typed arrays instead of objects,
 * because a partition may see many thousands of producers. It holds what it is given and knows no rule.
 */

/** How many batches of a producer are remembered: as many as a client may have in flight. */
export const BATCHES = 5
/** No offset, no time. */
export const NONE = -1n

/** Rows of expired producers are used again. */
export class ProducerColumns {
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

  constructor(capacity: number, from?: ProducerColumns) {
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
