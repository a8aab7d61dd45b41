/** Any number of readers, or one who cuts what they read: the cutter waits for them, later readers wait for it. */
export class ReadGate {
  #readers = 0
  #whenUnread: (() => void) | null = null
  #cutting: Promise<void> | null = null

  async read<T>(work: () => Promise<T>): Promise<T> {
    while (this.#cutting !== null) await this.#cutting
    this.#readers++
    try {
      return await work()
    } finally {
      this.#readers--
      if (this.#readers === 0) this.#whenUnread?.()
    }
  }

  /** Only one at a time. */
  async cut(work: () => Promise<void>): Promise<void> {
    let done: () => void = () => undefined
    this.#cutting = new Promise((resolve) => (done = resolve))
    try {
      if (this.#readers > 0) await new Promise<void>((resolve) => (this.#whenUnread = resolve))
      await work()
    } finally {
      this.#whenUnread = null
      this.#cutting = null
      done()
    }
  }
}
