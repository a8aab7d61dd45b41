/**
 * In which order things happen to one log, and whether anything may: changes one at a time in the order of the calls,
 * work in the background that changes wait for where they must, readers beside both. The first I/O that fails ends it
 * all: the log is offline.
 */
import { StorageError } from '../../application/ports/log-store.ts'
import { ReportedStorageError } from '../../application/ports/reported-storage-error.ts'
import { ReadGate } from './read-gate.ts'

export class LogActivity {
  readonly gate = new ReadGate()
  readonly #folder: string
  readonly #offline: (error: unknown) => void
  state: 'open' | 'closed' | 'deleted' | 'offline' = 'open'
  /** The last change that was asked for; the next one begins after it. */
  #changes: Promise<unknown> = Promise.resolve()
  #changesUnderWay = 0
  /** Work that nobody waits for, until `drain`. */
  #background: Promise<void> = Promise.resolve()

  /** @param offline told once, when I/O fails */
  constructor(folder: string, offline: (error: unknown) => void) {
    this.#folder = folder
    this.#offline = offline
  }

  /** Whether a change that is made in this turn is in nobody's way. */
  get isFree(): boolean {
    return this.#changesUnderWay === 0 && this.state === 'open'
  }

  /** Runs `work` when the changes before it are done: at once when there are none. */
  change<T>(work: () => Promise<T>): Promise<T> {
    this.#changesUnderWay++
    const result = this.#changesUnderWay === 1 ? this.#run(work) : this.#changes.then(() => this.#run(work))
    this.#changes = result.then(this.#changed, this.#changed)
    return result
  }

  readonly #changed = (): void => {
    this.#changesUnderWay--
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    this.assertUsable()
    try {
      return await work()
    } catch (error) {
      throw error instanceof RangeError ? error : this.failed(error)
    }
  }

  /** Runs after everything else of the background; a failure takes the log offline. */
  later(work: () => Promise<void>): void {
    this.#background = this.#background.then(async () => {
      if (this.state === 'offline' || this.state === 'deleted') return
      try {
        await work()
      } catch (error) {
        this.failed(error)
      }
    })
  }

  /** Waits for the background; rejects when it took the log offline. */
  async drain(): Promise<void> {
    await this.#background
    this.assertUsable()
  }

  /** Waits for everything that was asked for, however it ends. */
  async settle(): Promise<void> {
    await this.#changes
    await this.#background
  }

  assertUsable(): void {
    if (this.state === 'offline') throw new ReportedStorageError(`${this.#folder} is offline`)
    if (this.state !== 'open') throw new StorageError(`${this.#folder} is ${this.state}`)
  }

  /** I/O failed: the log is offline from now on. Answers what to throw. */
  failed(error: unknown): StorageError {
    if (this.state === 'open') {
      this.state = 'offline'
      this.#offline(error)
    }
    if (error instanceof ReportedStorageError || this.state !== 'offline') return asStorageError(error, this.#folder)
    return new ReportedStorageError(asStorageError(error, this.#folder).message, { cause: error })
  }
}

function asStorageError(error: unknown, folder: string): StorageError {
  return error instanceof StorageError ? error : new StorageError(`I/O on ${folder} failed`, { cause: error })
}
