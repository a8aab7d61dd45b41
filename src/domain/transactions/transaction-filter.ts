/** Which transactions ListTransactions tells of. */
import { transactionStates, type Transaction, type TransactionState } from './transaction.ts'

export interface TransactionFilter {
  /** Empty = all. */
  readonly states: readonly string[]
  /** Empty = all. */
  readonly producerIds: readonly bigint[]
  /** Only those that run for longer; negative = all (KIP-994). */
  readonly longerThanMs: bigint
  /** Whether the transactional id is wanted (KIP-1152). */
  readonly matches: (transactionalId: string) => boolean
}

export function unknownStates(states: readonly string[]): readonly string[] {
  return states.filter((state) => !transactionStates.includes(state as TransactionState))
}

/** The ids that fit. One that has never begun a transaction has run for ever, as in Kafka. */
export function admitted(filter: TransactionFilter, nowMs: bigint): (transaction: Transaction) => boolean {
  const states = new Set(filter.states)
  const producerIds = new Set(filter.producerIds)
  const { longerThanMs, matches } = filter
  return ({ state, producerId, startMs, transactionalId }) =>
    (states.size === 0 || states.has(state)) &&
    (producerIds.size === 0 || producerIds.has(producerId)) &&
    (longerThanMs < 0n || nowMs - startMs > longerThanMs) &&
    matches(transactionalId)
}
