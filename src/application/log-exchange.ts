/** Keeps what changes a log and the exchange of that log for another copy of it (KIP-113) out of each other's way. */
export class LogExchange {
  readonly #changes = new Set<Promise<unknown>>()
  #over: Promise<void> | null = null

  get underWay(): boolean {
    return this.#over !== null
  }

  /** Resolves when no exchange is under way. */
  async whenOver(): Promise<void> {
    while (this.#over !== null) await this.#over
  }

  /** Changes the log when no exchange is under way; one that begins meanwhile waits for it. */
  async change<T>(change: () => Promise<T>): Promise<T> {
    // no turn between the look and the change: an exchange could begin in it
    while (this.#over !== null) await this.#over
    const changing = change()
    this.#changes.add(changing)
    try {
      return await changing
    } finally {
      this.#changes.delete(changing)
    }
  }

  /** @param after runs when `exchange` is over, however it ended, before anything that waits for that */
  async run(exchange: () => Promise<void>, after: () => void): Promise<void> {
    let over = (): void => undefined
    this.#over = new Promise((resolve) => (over = resolve))
    try {
      await Promise.allSettled(this.#changes)
      await exchange()
    } finally {
      this.#over = null
      after()
      over()
    }
  }
}
