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

/** In a list by the offset of their markers: where those begin whose markers lie at or after `offset`. */
export function firstAbortedFrom(aborted: readonly AbortedTransaction[], offset: bigint): number {
  let low = 0
  let high = aborted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (aborted[middle]!.lastOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}
