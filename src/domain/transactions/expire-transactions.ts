/** Transactional ids that nobody has used for long are forgotten. */
import { isSettled, type Transaction } from './transaction.ts'
import type { TransactionRecord } from './transaction-record.ts'

/** The tombstones of what has not changed since `expirationMs`; open transactions are left to their time-out. */
export function decideExpiry(
  transactions: Iterable<Transaction>,
  expirationMs: bigint,
  nowMs: bigint,
): readonly TransactionRecord[] {
  const tombstones: TransactionRecord[] = []
  for (const transaction of transactions) {
    if (isSettled(transaction) && transaction.updatedMs <= nowMs - expirationMs) {
      tombstones.push({ transactionalId: transaction.transactionalId, value: null })
    }
  }
  return tombstones
}
