/**
 * The end of a transaction: EndTxn by its producer, an abort by the broker (a new producer, a time-out), and its
 * completion once all markers are written.
 *
 * | Transactions V2 | abort, epoch before | abort, present epoch | commit, epoch before | commit, present epoch |
 * | --------------- | ------------------- | -------------------- | -------------------- | --------------------- |
 * | Empty           | PRODUCER_FENCED     | epoch raised         | PRODUCER_FENCED      | INVALID_TXN_STATE     |
 * | CompleteAbort   | done before         | epoch raised         | INVALID_TXN_STATE    | INVALID_TXN_STATE     |
 * | CompleteCommit  | INVALID_TXN_STATE   | epoch raised         | done before          | INVALID_TXN_STATE     |
 *
 * Under V1 the epoch is always the present one: CompleteAbort takes aborts and CompleteCommit commits as done before,
 * everything else is INVALID_TXN_STATE.
 */
import {
  decided,
  needsProducerId,
  refuse,
  type Decided,
  type NeedsProducerId,
  type Refused,
  type TakeProducerId,
} from './decision.ts'
import {
  bumpsEpochs,
  isEnding,
  isEpochLeft,
  isEpochUsedUp,
  NO_EPOCH,
  NO_PRODUCER_ID,
  type Transaction,
} from './transaction.ts'

export interface EndTransactionCommand {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly committed: boolean
}

export function decideEnd(
  present: Transaction | null,
  command: EndTransactionCommand,
  clientVersion: number,
  takeProducerId: TakeProducerId,
  nowMs: bigint,
): Decided | Refused | NeedsProducerId {
  if (present === null) return refuse('INVALID_PRODUCER_ID_MAPPING')
  return bumpsEpochs(clientVersion)
    ? decideEndV2(present, command, clientVersion, takeProducerId, nowMs)
    : decideEndV1(present, command, nowMs)
}

function decideEndV1(
  present: Transaction,
  { producerId, producerEpoch, committed }: EndTransactionCommand,
  nowMs: bigint,
): Decided | Refused {
  if (present.producerId !== producerId) return refuse('INVALID_PRODUCER_ID_MAPPING')
  if (present.producerEpoch !== producerEpoch) return refuse('PRODUCER_FENCED')
  if (isEnding(present)) return refuse('CONCURRENT_TRANSACTIONS')
  if (present.state === 'Ongoing') {
    const { producerEpoch: epoch, lastProducerEpoch } = present
    return decided(ending(present, committed, { producerEpoch: epoch, lastProducerEpoch }, NO_PRODUCER_ID, 0, nowMs))
  }
  return present.state === (committed ? 'CompleteCommit' : 'CompleteAbort')
    ? decided(null)
    : refuse('INVALID_TXN_STATE')
}

function decideEndV2(
  present: Transaction,
  { producerId, producerEpoch, committed }: EndTransactionCommand,
  clientVersion: number,
  takeProducerId: TakeProducerId,
  nowMs: bigint,
): Decided | Refused | NeedsProducerId {
  if (isEnding(present)) return refuse('CONCURRENT_TRANSACTIONS')
  const hasMoved =
    present.previousProducerId === producerId &&
    isEpochUsedUp(producerEpoch) &&
    isEpochLeft(producerEpoch) &&
    present.producerEpoch === 0
  // Where a V1 client ended it, the epoch was raised for that client: whoever had the one before is fenced. (4.3.1 takes
  // such a zombie for one that asks again, and gives it the epoch of its successor.)
  const wasRaised = bumpsEpochs(present.clientVersion) && present.producerEpoch === producerEpoch + 1
  const isRepeated = hasMoved || wasRaised
  const isPresent = present.producerEpoch === producerEpoch
  if (present.producerId !== producerId && !hasMoved) return refuse('INVALID_PRODUCER_ID_MAPPING')
  const isComplete = present.state === 'CompleteCommit' || present.state === 'CompleteAbort'
  if (!(isPresent || (isComplete && isRepeated))) return refuse('PRODUCER_FENCED')
  if (isComplete && isRepeated) {
    return present.state === (committed ? 'CompleteCommit' : 'CompleteAbort')
      ? decided(null)
      : refuse('INVALID_TXN_STATE')
  }
  // Without a transaction there is nothing to commit; an abort raises the epoch all the same (KIP-890).
  if (present.state !== 'Ongoing' && committed) return refuse('INVALID_TXN_STATE')
  return raised(present, committed, clientVersion, takeProducerId, nowMs)
}

/** Aborts an open transaction without its producer, who is fenced by it. */
export function decideFence(
  present: Transaction,
  transactionVersion: number,
  takeProducerId: TakeProducerId,
  nowMs: bigint,
): Decided | NeedsProducerId {
  if (bumpsEpochs(transactionVersion)) return raised(present, false, transactionVersion, takeProducerId, nowMs)
  const producerEpoch = isEpochLeft(present.producerEpoch) ? present.producerEpoch + 1 : present.producerEpoch
  return decided(ending(present, false, { producerEpoch, lastProducerEpoch: NO_EPOCH }, NO_PRODUCER_ID, 0, nowMs))
}

/** The markers carry the raised epoch. When it is the last one, the producer goes on with another id. */
function raised(
  present: Transaction,
  committed: boolean,
  clientVersion: number,
  takeProducerId: TakeProducerId,
  nowMs: bigint,
): Decided | NeedsProducerId {
  const { producerEpoch: lastProducerEpoch } = present
  const nextProducerId = isEpochUsedUp(lastProducerEpoch) ? takeProducerId() : NO_PRODUCER_ID
  if (nextProducerId === null) return needsProducerId
  const producerEpoch = isEpochLeft(lastProducerEpoch) ? lastProducerEpoch + 1 : lastProducerEpoch
  return decided(ending(present, committed, { producerEpoch, lastProducerEpoch }, nextProducerId, clientVersion, nowMs))
}

function ending(
  present: Transaction,
  committed: boolean,
  epochs: Pick<Transaction, 'producerEpoch' | 'lastProducerEpoch'>,
  nextProducerId: bigint,
  clientVersion: number,
  nowMs: bigint,
): Transaction {
  return {
    ...present,
    ...epochs,
    previousProducerId: present.producerId,
    nextProducerId,
    state: committed ? 'PrepareCommit' : 'PrepareAbort',
    // Kafka requires a start of whatever ends, also where no partition was added.
    startMs: present.state === 'Ongoing' ? present.startMs : nowMs,
    updatedMs: nowMs,
    clientVersion,
  }
}

/** All markers are written; null when the transaction is not ending. */
export function decideComplete(present: Transaction | null, nowMs: bigint): Transaction | null {
  if (present === null || !isEnding(present)) return null
  return completed(present, nowMs)
}

/** What an ending transaction will be: its producer is told so before the markers are written. */
export function completed(present: Transaction, nowMs: bigint): Transaction {
  const { producerId, nextProducerId, clientVersion } = present
  const moves = bumpsEpochs(clientVersion) && nextProducerId !== NO_PRODUCER_ID
  return {
    ...present,
    previousProducerId: producerId,
    ...(moves ? { producerId: nextProducerId, producerEpoch: 0 } : {}),
    nextProducerId: NO_PRODUCER_ID,
    state: present.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    partitions: new Map(),
    updatedMs: nowMs,
  }
}
