/**
 * Who may begin a transaction in a partition (KIP-890): a producer asks for leave, the transaction coordinator is asked
 * whether the partition is part of the transaction, and the first batch is appended with the leave that was asked for.
 *
 * A leave is worth nothing once a marker or a transactional batch of its producer took its place in the log. So a batch whose
 * transaction was ended between the coordinator's yes and its append is refused. Nothing of this survives a restart:
 * whoever waited for the coordinator is gone then, too.
 */
import type { RecordBatchView } from './record-batch.ts'

/** What a batch is appended with that no leave was asked for: only an ongoing transaction takes it. */
export const NO_LEAVE = 0
/** Nobody checks leaves: `transaction.partition.verification.enable` is off. */
export const LEAVE_NOT_CHECKED = -1

/** Of the batch that a leave is asked for. */
export type FirstBatch = Pick<RecordBatchView, 'producerId' | 'producerEpoch' | 'baseSequence'>

interface Leave {
  readonly id: number
  readonly askedMs: bigint
  /** The batch came from a client of Transactions V2, which begins each epoch at sequence 0. */
  readonly raisesEpochs: boolean
  epoch: number
  /** Of all batches that asked: later ones must not overtake the first when it is told to try again. */
  lowestSequence: number
}

export class TransactionLeaves {
  readonly #byProducer = new Map<bigint, Leave>()
  #lastId = NO_LEAVE

  /** The leave that the batch needs; several batches of a producer that wait at the same time share one. */
  ask(batch: FirstBatch, raisesEpochs: boolean, nowMs: bigint): number {
    const { producerId, producerEpoch: epoch, baseSequence } = batch
    const leave = this.#byProducer.get(producerId)
    if (leave === undefined) {
      const id = ++this.#lastId
      this.#byProducer.set(producerId, { id, askedMs: nowMs, raisesEpochs, epoch, lowestSequence: baseSequence })
      return id
    }
    if (epoch > leave.epoch || (epoch === leave.epoch && baseSequence < leave.lowestSequence)) {
      leave.epoch = epoch
      leave.lowestSequence = baseSequence
    }
    return leave.id
  }

  /** Whether `leave` is still good for the first batch of a transaction. */
  admits(producerId: bigint, leave: number): boolean {
    return leave === LEAVE_NOT_CHECKED || (leave !== NO_LEAVE && this.#byProducer.get(producerId)?.id === leave)
  }

  /** Whether a batch may be the first one; `isEmpty` = nothing is known of the producer in its epoch. */
  inSequence(batch: RecordBatchView, isEmpty: boolean): boolean {
    const leave = this.#byProducer.get(batch.producerId)
    if (leave === undefined) return true
    const { baseSequence } = batch
    return !(leave.raisesEpochs && isEmpty && baseSequence !== 0) && baseSequence <= leave.lowestSequence
  }

  /** The producer wrote something in a transaction, or its transaction ended. */
  drop(producerId: bigint): void {
    if (this.#byProducer.size > 0) this.#byProducer.delete(producerId)
  }

  expire(nowMs: bigint, expirationMs: bigint): void {
    for (const [producerId, { askedMs }] of this.#byProducer) {
      if (nowMs - askedMs >= expirationMs) this.#byProducer.delete(producerId)
    }
  }
}
