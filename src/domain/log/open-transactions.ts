/**
 * The transactions of one partition that hold read-committed readers back (KIP-98), in the order of their first
 * offsets: those that are open, and those whose end marker has its place in the log but may not be written yet.
 *
 * What every write asks (the first of them) costs the same however many there are. Transactions begin in the order of
 * the log; only a snapshot, whose producers have no order, is sorted once.
 */

interface Transaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
  /** Where it ended; null = open. */
  markerOffset: bigint | null
}

/** Below this many nothing is tidied up. */
const TIDY_FROM = 64

export class OpenTransactions {
  readonly #open = new Map<bigint, Transaction>()
  /** From `#head` on; whatever ended stays in its place until it is first or there is too much of it. */
  #order: Transaction[] = []
  #head = 0
  #ended = 0
  #sorted = true

  begin(producerId: bigint, firstOffset: bigint): void {
    const transaction = { producerId, firstOffset, markerOffset: null }
    const last = this.#order.at(-1)
    if (last !== undefined && last.firstOffset > firstOffset) this.#sorted = false
    this.#open.set(producerId, transaction)
    this.#order.push(transaction)
  }

  /** The open transaction of a producer has its marker at `markerOffset`. */
  end(producerId: bigint, markerOffset: bigint): void {
    const transaction = this.#open.get(producerId)
    if (transaction === undefined) return
    transaction.markerOffset = markerOffset
    this.#open.delete(producerId)
    this.#ended++
  }

  /** Where the first open transaction begins; null = none is open. */
  firstOpen(): bigint | null {
    this.#sort()
    for (let at = this.#head; at < this.#order.length; at++) {
      const transaction = this.#order[at]!
      if (transaction.markerOffset === null) return transaction.firstOffset
    }
    return null
  }

  /** Where the first begins that is open or whose marker lies at or past `writtenEnd`, which never goes back. */
  firstUnstable(writtenEnd: bigint): bigint | null {
    this.#sort()
    while (this.#head < this.#order.length && isOver(this.#order[this.#head]!, writtenEnd)) {
      this.#head++
      this.#ended--
    }
    this.#tidy(writtenEnd)
    return this.#order[this.#head]?.firstOffset ?? null
  }

  #sort(): void {
    if (this.#sorted) return
    this.#order = this.#order.slice(this.#head)
    this.#order.sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
    this.#head = 0
    this.#sorted = true
  }

  /** Drops what is over once it is the larger part, so that each transaction is moved a few times at most. */
  #tidy(writtenEnd: bigint): void {
    const length = this.#order.length
    if (length < TIDY_FROM || (this.#head + this.#ended) * 2 < length) return
    const kept = this.#order.slice(this.#head).filter((transaction) => !isOver(transaction, writtenEnd))
    this.#ended -= length - this.#head - kept.length
    this.#order = kept
    this.#head = 0
  }
}

function isOver({ markerOffset }: Transaction, writtenEnd: bigint): boolean {
  return markerOffset !== null && markerOffset < writtenEnd
}
