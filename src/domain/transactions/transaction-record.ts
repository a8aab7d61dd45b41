/**
 * The records of `__transaction_state`: the whole state of one transactional id each time it changes. Names and fields
 * are Kafka's; a null value is a tombstone. Which version is written is the codec's business.
 */

export interface TransactionLogValue {
  readonly producerId: bigint
  /** The producer id before this change; -1 = not known. */
  readonly previousProducerId: bigint
  /** The producer id from the end of this transaction on, when the epochs of the present one are used up; -1 = none. */
  readonly nextProducerId: bigint
  readonly producerEpoch: number
  readonly transactionTimeoutMs: number
  /** A code of `transactionStates`. */
  readonly transactionStatus: number
  /** null while the transaction is empty. */
  readonly transactionPartitions: readonly { readonly topic: string; readonly partitionIds: readonly number[] }[] | null
  readonly transactionLastUpdateTimestampMs: bigint
  /** -1 = it has not begun. */
  readonly transactionStartTimestampMs: bigint
  /** What the client that brought it here knows: 2 = an epoch for each transaction (KIP-890). */
  readonly clientTransactionVersion: number
}

export interface TransactionRecord {
  readonly transactionalId: string
  readonly value: TransactionLogValue | null
}
