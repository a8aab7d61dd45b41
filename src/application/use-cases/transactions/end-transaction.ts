/**
 * Commits or aborts a transaction. Answered when that is decided for good: the markers are written behind the answer.
 * A client of Transactions V2 is told the producer id and the epoch that its next transaction has.
 */
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import { completed, decideEnd } from '../../../domain/transactions/end-transaction.ts'
import { isEnding, type Transaction } from '../../../domain/transactions/transaction.ts'
import type { TransactionCoordinator } from '../../transaction-coordinator.ts'

export interface EndTransactionCommand {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly committed: boolean
  /** EndTxn v5: the client takes the epoch from the answer. */
  readonly knowsV2: boolean
}

export interface EndTransactionResult {
  readonly error: ErrorName
  /** -1 = not told. */
  readonly producerId: bigint
  readonly producerEpoch: number
}

export class EndTransaction {
  readonly #transactions: TransactionCoordinator

  constructor(transactions: TransactionCoordinator) {
    this.#transactions = transactions
  }

  async execute(command: EndTransactionCommand): Promise<EndTransactionResult> {
    const { transactionalId } = command
    if (transactionalId === '') return untold('INVALID_REQUEST')
    const version = this.#transactions.versionFor(command.knowsV2)
    const changed = await this.#transactions.change(transactionalId, (present, take, nowMs) =>
      decideEnd(present, command, version, take, nowMs),
    )
    if (changed.error !== null) return untold(changed.error)
    return version >= 2 ? told(changed.transaction) : untold('NONE')
  }
}

function told(transaction: Transaction): EndTransactionResult {
  const { producerId, producerEpoch } = isEnding(transaction)
    ? completed(transaction, transaction.updatedMs)
    : transaction
  return { error: 'NONE', producerId, producerEpoch }
}

function untold(error: KafkaError | 'NONE'): EndTransactionResult {
  return { error, producerId: -1n, producerEpoch: -1 }
}
