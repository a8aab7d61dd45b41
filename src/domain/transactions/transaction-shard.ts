/**
 * Everything of one partition of `__transaction_state`: its transactional ids. Replaying the partition's log through
 * `evolve` builds it.
 */
import { fromValue, type Transaction } from './transaction.ts'
import type { TransactionRecord } from './transaction-record.ts'

export class TransactionShard {
  readonly #transactions = new Map<string, Transaction>()

  get(transactionalId: string): Transaction | null {
    return this.#transactions.get(transactionalId) ?? null
  }

  all(): Iterable<Transaction> {
    return this.#transactions.values()
  }

  evolve({ transactionalId, value }: TransactionRecord): void {
    const next = value === null ? null : fromValue(transactionalId, value, this.get(transactionalId))
    if (next !== null) this.#transactions.set(transactionalId, next)
    else if (value === null) this.#transactions.delete(transactionalId)
  }

  /** Remembers what records do not carry: the epoch that the producer had before the one it was just given. */
  rememberEpoch(transactionalId: string, lastProducerEpoch: number): void {
    const transaction = this.get(transactionalId)
    if (transaction !== null) this.#transactions.set(transactionalId, { ...transaction, lastProducerEpoch })
  }

  /** The records of this topic never belong to a transaction themselves. */
  endTransaction(): void {
    return
  }
}
