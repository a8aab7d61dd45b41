/** What one producer asked for comes to its turn in the order in which it asked, though answers come in any order. */
export class ProducerTurns {
  /** The last one that waits, by producer id; none where nobody waits. */
  readonly #last = new Map<bigint, Promise<unknown>>()

  /** The answer, once those of the producer before it had their turn: at once when none waits and it is known. */
  after<T>(producerId: bigint, answer: T | Promise<T>): T | Promise<T> {
    const before = this.#last.get(producerId)
    if (before === undefined && !(answer instanceof Promise)) return answer
    const turn = this.#turn(before, answer).finally(() => {
      if (this.#last.get(producerId) === turn) this.#last.delete(producerId)
    })
    this.#last.set(producerId, turn)
    return turn
  }

  async #turn<T>(before: Promise<unknown> | undefined, answer: T | Promise<T>): Promise<T> {
    await Promise.allSettled([before])
    return await answer
  }
}
