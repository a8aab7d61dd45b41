/** The state of transactions, by transactional id. */
import type { KafkaError } from '../../../domain/errors.ts'
import type { Transaction } from '../../../domain/transactions/transaction.ts'
import type { TransactionCoordinator } from '../../transaction-coordinator.ts'

export type DescribedTransaction =
  | { readonly transactionalId: string; readonly error: KafkaError }
  | { readonly transactionalId: string; readonly error: null; readonly transaction: Transaction }

export class DescribeTransactions {
  readonly #transactions: TransactionCoordinator

  constructor(transactions: TransactionCoordinator) {
    this.#transactions = transactions
  }

  /** One for each id, in their order. */
  execute(transactionalIds: readonly string[]): Promise<readonly DescribedTransaction[]> {
    return Promise.all(transactionalIds.map((transactionalId) => this.#describe(transactionalId)))
  }

  async #describe(transactionalId: string): Promise<DescribedTransaction> {
    if (transactionalId === '') return { transactionalId, error: 'INVALID_REQUEST' }
    const { error, answer } = await this.#transactions.coordinator.run(transactionalId, (shard) => ({
      records: [],
      answer: shard.get(transactionalId),
    }))
    if (error !== null) return { transactionalId, error }
    if (answer === null) return { transactionalId, error: 'TRANSACTIONAL_ID_NOT_FOUND' }
    return { transactionalId, error: null, transaction: answer }
  }
}
