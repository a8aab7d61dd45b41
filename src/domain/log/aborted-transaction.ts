/** A transaction that ended with an abort marker in one partition: a line of Kafka's `.txnindex`. */
export interface AbortedTransaction {
  readonly producerId: bigint
  /** Of its first batch. */
  readonly firstOffset: bigint
  /** Of the abort marker. */
  readonly lastOffset: bigint
  /** The first offset that was unstable once the marker was written, or the one after the marker. */
  readonly lastStableOffset: bigint
}
