/** The key and the value of `__transaction_state`. Keys are never flexible. */
import { array, int16, int32, int64, int8, message, string } from '../codec/schema.ts'

export const transactionLogKey = message({
  name: 'TransactionLogKey',
  versions: '0',
  flexible: 'none',
  fields: { transactionalId: string() },
})

/** v1 (transaction.version 1) knows producer ids and the protocol of Transactions V2; v0 leaves them out. */
export const transactionLogValue = message({
  name: 'TransactionLogValue',
  versions: '0-1',
  flexible: '1+',
  fields: {
    producerId: int64(),
    previousProducerId: int64('1+', { tag: 0, default: -1n, ignorable: true }),
    nextProducerId: int64('1+', { tag: 1, default: -1n, ignorable: true }),
    producerEpoch: int16(),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: array({ nullable: true }, { topic: string(), partitionIds: array('int32') }),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
    clientTransactionVersion: int16('1+', { tag: 2, ignorable: true }),
  },
})
