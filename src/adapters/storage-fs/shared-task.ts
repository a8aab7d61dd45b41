/**
 * Work that many may ask for and that covers all of them at once, such as writing a file of everybody's offsets:
 * whoever asks while it runs shares the next run, which begins afterwards and so sees what the asker did.
 */
export class SharedTask {
  readonly #work: () => Promise<void>
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  /** Resolves when a run is over that began after this call; rejects when that run failed. */
  run(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#work().finally(() => (this.#running = null))
      return this.#running
    }
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null
        return this.run()
      })
    return this.#next
  }
}
