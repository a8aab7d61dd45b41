/**
 * The leader epochs of one log: from which offset on each epoch wrote. Kafka keeps them in `leader-epoch-checkpoint`
 * and answers OffsetForLeaderEpoch from them (KIP-101, KIP-279).
 */

export interface LeaderEpochEntry {
  readonly epoch: number
  readonly startOffset: bigint
}

/** The answer for one epoch: the largest epoch not above the one asked for, and where it ends. */
export interface EpochEndOffset {
  readonly epoch: number
  readonly endOffset: bigint
}

/**
 * The epochs of a growing log, ascending in epoch and start offset. Everything that changes them answers whether it
 * did, so that the owner knows when to save them; `entries` is replaced, never changed in place.
 */
export class LeaderEpochs {
  #entries: readonly LeaderEpochEntry[]

  /** @param entries ascending in both fields, as saved */
  constructor(entries: readonly LeaderEpochEntry[] = []) {
    this.#entries = entries
  }

  get entries(): readonly LeaderEpochEntry[] {
    return this.#entries
  }

  /** The newest epoch, -1 when there is none. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  /**
   * Notes that `epoch` writes from `startOffset` on. Entries that contradict it (a later epoch, or a start at or past
   * this one) go, as in Kafka: the newest writer is right.
   */
  assign(epoch: number, startOffset: bigint): boolean {
    if (epoch < 0) return false
    const last = this.#entries.at(-1)
    if (last !== undefined && last.epoch === epoch && startOffset >= last.startOffset) return false
    let kept = this.#entries.length
    while (kept > 0) {
      const entry = this.#entries[kept - 1]!
      if (entry.epoch < epoch && entry.startOffset < startOffset) break
      kept--
    }
    this.#entries = [...this.#entries.slice(0, kept), { epoch, startOffset }]
    return true
  }

  /** The log now ends at `endOffset`: epochs that began at or after it never wrote. */
  truncateFromEnd(endOffset: bigint): boolean {
    const kept = this.#entries.filter((entry) => entry.startOffset < endOffset)
    if (kept.length === this.#entries.length) return false
    this.#entries = kept
    return true
  }

  /** The log now starts at `startOffset`: the epoch that covers it begins there, earlier ones are gone. */
  truncateFromStart(startOffset: bigint): boolean {
    const covering = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset)
    const first = this.#entries[covering]
    if (first === undefined || (covering === 0 && first.startOffset === startOffset)) return false
    this.#entries = [{ epoch: first.epoch, startOffset }, ...this.#entries.slice(covering + 1)]
    return true
  }
}

/**
 * Where `epoch` ends in a log with these epochs (ascending) that ends at `logEnd`, or null when the log knows nothing
 * of it: it is later than every epoch here, or there is none (-1). An epoch older than all, also a negative one, answers
 * itself and the first start, as Kafka does, so that a client cuts back to there.
 */
export function endOffsetForEpoch(
  entries: readonly LeaderEpochEntry[],
  epoch: number,
  logEnd: bigint,
): EpochEndOffset | null {
  const last = entries.at(-1)
  if (last === undefined || epoch === -1 || epoch > last.epoch) return null
  if (epoch === last.epoch) return { epoch, endOffset: logEnd }
  const higher = entries.findIndex((entry) => entry.epoch > epoch)
  return { epoch: entries[higher - 1]?.epoch ?? epoch, endOffset: entries[higher]!.startOffset }
}
