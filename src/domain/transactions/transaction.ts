/**
 * One transactional id: its producer, and the transaction that it is in or was in last. Immutable; a decision gives the
 * next one, whose record makes it so (`recordOf`, `fromValue`).
 *
 * Under Transactions V2 (KIP-890) every end of a transaction raises the epoch, so that an answer that was lost can be
 * told from the next request. When an epoch is used up, the end of the transaction moves to another producer id.
 */
import type { TopicPartition } from '../topic-partition.ts'
import type { TransactionLogValue, TransactionRecord } from './transaction-record.ts'

/** In the order of Kafka's codes. */
export const transactionStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

export type TransactionState = (typeof transactionStates)[number]

/** Partitions by topic, in the order in which they came. */
export type EnrolledPartitions = ReadonlyMap<string, ReadonlySet<number>>

export interface Transaction {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly previousProducerId: bigint
  readonly nextProducerId: bigint
  /** -1 only before its first record. */
  readonly producerEpoch: number
  /**
   * The epoch before the present one, -1 = not known: a producer that asks with it has lost the answer. Records do not
   * carry it; it can be told from them where the end of a transaction raised the epoch.
   */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly state: TransactionState
  readonly partitions: EnrolledPartitions
  /** -1 = it has not begun. */
  readonly startMs: bigint
  readonly updatedMs: bigint
  readonly clientVersion: number
}

export const NO_PRODUCER_ID = -1n
export const NO_EPOCH = -1
const EPOCH_MAX = 32_767
const nothing: EnrolledPartitions = new Map()

/** Whether the end of a transaction raises the epoch. */
export function bumpsEpochs(transactionVersion: number): boolean {
  return transactionVersion >= 2
}

/** The largest epoch is kept for fencing: clients never get it. */
export function isEpochUsedUp(epoch: number): boolean {
  return epoch >= EPOCH_MAX - 1
}

export function isEpochLeft(epoch: number): boolean {
  return epoch < EPOCH_MAX
}

/** What an id is before it has its first record. */
export function newTransaction(transactionalId: string, producerId: bigint, nowMs: bigint): Transaction {
  return {
    transactionalId,
    producerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_EPOCH,
    lastProducerEpoch: NO_EPOCH,
    timeoutMs: 0,
    state: 'Empty',
    partitions: nothing,
    startMs: -1n,
    updatedMs: nowMs,
    clientVersion: 0,
  }
}

/** Its markers are being written: nothing else can be done to it until they are. */
export function isEnding({ state }: Transaction): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort'
}

/** No transaction is open or ending. */
export function isSettled({ state }: Transaction): boolean {
  return state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort'
}

/** A transaction without a time-out belongs to somebody who commits in two phases (KIP-939). */
export function isTimedOut({ state, startMs, timeoutMs }: Transaction, nowMs: bigint): boolean {
  return state === 'Ongoing' && timeoutMs !== 2_147_483_647 && startMs + BigInt(timeoutMs) < nowMs
}

export function contains({ partitions }: Transaction, { topic, partition }: TopicPartition): boolean {
  return partitions.get(topic)?.has(partition) === true
}

/** Everything that it has written to. */
export function partitionsOf({ partitions }: Transaction): TopicPartition[] {
  return [...partitions].flatMap(([topic, ids]) => [...ids].map((partition) => ({ topic, partition })))
}

/** Copies what it changes. */
export function withPartitions(present: EnrolledPartitions, added: readonly TopicPartition[]): EnrolledPartitions {
  const partitions = new Map<string, ReadonlySet<number>>(present)
  for (const { topic, partition } of added) {
    const ids = partitions.get(topic)
    if (ids?.has(partition) !== true) partitions.set(topic, new Set([...(ids ?? []), partition]))
  }
  return partitions
}

/** The record that makes the transaction what it is. */
export function recordOf(transaction: Transaction): TransactionRecord {
  const { transactionalId, state, partitions } = transaction
  const value: TransactionLogValue = {
    producerId: transaction.producerId,
    previousProducerId: transaction.previousProducerId,
    nextProducerId: transaction.nextProducerId,
    producerEpoch: transaction.producerEpoch,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStatus: transactionStates.indexOf(state),
    transactionPartitions:
      state === 'Empty' ? null : [...partitions].map(([topic, ids]) => ({ topic, partitionIds: [...ids] })),
    transactionLastUpdateTimestampMs: transaction.updatedMs,
    transactionStartTimestampMs: transaction.startMs,
    clientTransactionVersion: transaction.clientVersion,
  }
  return { transactionalId, value }
}

/** The transaction as a record says; null when it names a state that does not exist. */
export function fromValue(
  transactionalId: string,
  value: TransactionLogValue,
  before: Transaction | null,
): Transaction | null {
  const state = transactionStates[value.transactionStatus]
  if (state === undefined) return null
  return {
    transactionalId,
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: lastEpoch(state, value, before),
    timeoutMs: value.transactionTimeoutMs,
    state,
    partitions: new Map(
      (value.transactionPartitions ?? []).map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]),
    ),
    startMs: value.transactionStartTimestampMs,
    updatedMs: value.transactionLastUpdateTimestampMs,
    clientVersion: value.clientTransactionVersion,
  }
}

function lastEpoch(state: TransactionState, value: TransactionLogValue, before: Transaction | null): number {
  const isSame = before?.producerId === value.producerId && before.producerEpoch === value.producerEpoch
  const kept = isSame ? before.lastProducerEpoch : NO_EPOCH
  switch (state) {
    case 'Empty':
      return NO_EPOCH
    case 'PrepareCommit':
    case 'PrepareAbort':
    case 'CompleteCommit':
    case 'CompleteAbort': {
      if (!bumpsEpochs(value.clientTransactionVersion)) return kept
      const hasMoved = value.previousProducerId !== value.producerId && value.producerEpoch === 0
      // The largest epoch that a client can have had.
      return hasMoved ? EPOCH_MAX - 1 : value.producerEpoch - 1
    }
    default:
      return kept
  }
}
