/**
 * Files and folders that are renamed away and disappear after `file.delete.delay.ms`. What still waits when the store
 * closes stays on the disk under its `.deleted` or `-delete` name and is removed at the next start.
 */
import type { Logger } from '../../application/ports/logger.ts'
import type { Timer, Timers } from '../../application/ports/timers.ts'
import type { FileSystem } from './file-system.ts'

/** The longest delay that timers take; what should wait longer waits for the next start. */
const DELAY_MS_MAX = 0x7fff_ffffn

export class DelayedRemoval {
  readonly #fs: FileSystem
  readonly #timers: Timers
  readonly #logger: Logger
  readonly #waiting = new Set<Timer>()
  readonly #running = new Set<Promise<void>>()

  constructor(fs: FileSystem, timers: Timers, logger: Logger) {
    this.#fs = fs
    this.#timers = timers
    this.#logger = logger
  }

  schedule(paths: readonly string[], delayMs: bigint): void {
    if (paths.length === 0 || delayMs > DELAY_MS_MAX) return
    const timer = this.#timers.after(Number(delayMs), () => {
      this.#waiting.delete(timer)
      this.removeNow(paths)
    })
    this.#waiting.add(timer)
  }

  /** In the background; a failure is logged, because a file too many harms nobody. */
  removeNow(paths: readonly string[]): void {
    const running = this.#remove(paths)
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
  }

  /** Forgets what still waits and finishes what runs. */
  async close(): Promise<void> {
    for (const timer of this.#waiting) timer.cancel()
    this.#waiting.clear()
    await Promise.all(this.#running)
  }

  async #remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      try {
        await this.#fs.remove(path)
      } catch (error) {
        this.#logger.warn('not removed', { path, error })
      }
    }
  }
}
