/**
 * How much memory what was read for fetches may hold, over all of them together: from the read until the client has
 * taken the answer. A client that reads slowly, or not at all, holds its answer for as long as it likes.
 *
 * Nobody waits: near the bound answers get smaller, down to one batch, which every fetch gets.
 */

/** What a fetch that has nothing yet may read even at the bound. */
const FIRST_BYTES = 65_536

export class ReadBudget {
  readonly #bytesMax: () => number
  #bytes = 0

  constructor(bytesMax: () => number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes that are held or set aside. */
  get bytes(): number {
    return this.#bytes
  }

  /** Sets up to `wanted` bytes aside for a read, at most half of what is left, so that reads at the same time share. */
  reserve(wanted: number, isFirst: boolean): number {
    const room = Math.max(0, Math.floor((this.#bytesMax() - this.#bytes) / 2))
    const bytes = Math.min(wanted, isFirst ? Math.max(room, FIRST_BYTES) : room)
    this.#bytes += bytes
    return bytes
  }

  /** The read is done: what was set aside for it becomes what it holds. */
  settle(reservedBytes: number, heldBytes: number): void {
    this.#bytes += heldBytes - reservedBytes
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }
}
