/**
 * What compaction has to know of transactions as it walks a log from its oldest batch on: which batches belong to an
 * aborted transaction and go at once, and which markers ended a transaction of which nothing is left.
 */
import type { AbortedTransaction } from './aborted-transaction.ts'
import { readEndMarker } from './end-marker.ts'
import type { RecordBatchView } from './record-batch.ts'

interface OngoingAbort {
  readonly transaction: AbortedTransaction
  /** Whether a batch of it was seen. */
  seen: boolean
}

export class CleanedTransactions {
  /** By first offset, those not reached yet. */
  #ahead: AbortedTransaction[]
  readonly #aborted = new Map<bigint, OngoingAbort>()
  /** Producers with batches of a transaction that will be committed. */
  readonly #committed = new Set<bigint>()

  /** @param aborted every aborted transaction that reaches into the walked part of the log */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#ahead = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  }

  /** Whether a data batch belongs to an aborted transaction. To be called once for each, in order. */
  seeBatch(batch: RecordBatchView): boolean {
    if (!batch.isTransactional) return false
    this.#reach(batch.lastOffset)
    const aborted = this.#aborted.get(batch.producerId)
    if (aborted === undefined) {
      this.#committed.add(batch.producerId)
      return false
    }
    aborted.seen = true
    return true
  }

  /**
   * Whether a control batch has done its work: nothing of its transaction is left before it. `kept` is the aborted
   * transaction that readers must still be told of, because it has batches that go only now. Once for each, in order.
   */
  seeControlBatch(batch: RecordBatchView): { readonly done: boolean; readonly kept: AbortedTransaction | null } {
    // emptied by an earlier compaction
    if (batch.count === 0) return { done: true, kept: null }
    this.#reach(batch.lastOffset)
    const marker = readEndMarker(batch)
    if (marker === null) return { done: false, kept: null }
    if (marker.committed) return { done: !this.#committed.delete(batch.producerId), kept: null }
    const aborted = this.#aborted.get(batch.producerId)
    this.#aborted.delete(batch.producerId)
    return aborted?.seen === true ? { done: false, kept: aborted.transaction } : { done: true, kept: null }
  }

  #reach(offset: bigint): void {
    while (this.#ahead.length > 0 && this.#ahead[0]!.firstOffset <= offset) {
      const transaction = this.#ahead.shift()!
      if (!this.#aborted.has(transaction.producerId)) {
        this.#aborted.set(transaction.producerId, { transaction, seen: false })
      }
    }
  }
}
