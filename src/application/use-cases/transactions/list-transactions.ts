/** The transactions that this broker coordinates. */
import type { KafkaError } from '../../../domain/errors.ts'
import type { CompilePattern } from '../../../domain/groups/topic-pattern.ts'
import type { Transaction } from '../../../domain/transactions/transaction.ts'
import { admitted, unknownStates, type TransactionFilter } from '../../../domain/transactions/transaction-filter.ts'
import type { TransactionCoordinator } from '../../transaction-coordinator.ts'

export interface ListTransactionsCommand extends Omit<TransactionFilter, 'matches'> {
  /** A regular expression of RE2 over the whole transactional id; null or empty = all (KIP-1152). */
  readonly pattern: string | null
}

export type ListTransactionsResult =
  | { readonly error: KafkaError }
  | {
      readonly error: null
      /** Asked for, but no state of a transaction. */
      readonly unknownStates: readonly string[]
      readonly transactions: readonly Transaction[]
    }

export class ListTransactions {
  readonly #transactions: TransactionCoordinator
  readonly #compile: CompilePattern

  constructor(transactions: TransactionCoordinator, compile: CompilePattern) {
    this.#transactions = transactions
    this.#compile = compile
  }

  async execute({ pattern, ...filter }: ListTransactionsCommand): Promise<ListTransactionsResult> {
    const { coordinator } = this.#transactions
    if (coordinator.isLoading) return { error: 'COORDINATOR_LOAD_IN_PROGRESS' }
    const compiled = pattern === null || pattern === '' ? null : this.#compile(pattern)
    if (compiled !== null && 'error' in compiled) return { error: 'INVALID_REGULAR_EXPRESSION' }
    const matches = (transactionalId: string) => compiled?.matches(transactionalId) ?? true
    const listed = await Promise.all(
      coordinator.activePartitions().map((partition) =>
        coordinator.runAt(partition, (shard, nowMs) => ({
          records: [],
          answer: [...shard.all()].filter(admitted({ ...filter, matches }, nowMs)),
        })),
      ),
    )
    // A partition that has gone meanwhile has nothing to list.
    const transactions = listed.flatMap(({ answer }) => answer ?? [])
    return { error: null, unknownStates: unknownStates(filter.states), transactions }
  }
}
