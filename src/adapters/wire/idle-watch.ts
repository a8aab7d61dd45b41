/**
 * `connections.max.idle.ms` for all connections with one timer: time is counted in ticks of an eighth of the limit,
 * a connection notes the tick of its last bytes, and each tick closes those whose note is too old. So an idle
 * connection is closed after the limit and at most an eighth of it more.
 */
import type { Timer, Timers } from '../../application/ports/timers.ts'

interface Watched {
  readonly lastActiveTick: number
}

const ticksPerLimit = 8

export class IdleWatch<Connection extends Watched> {
  readonly #timers: Timers
  readonly #tickMs: number
  readonly #watched = new Set<Connection>()
  readonly #onIdle: (connection: Connection) => void
  #timer: Timer | null = null
  #tick = 0

  /** @param idleMs - a negative limit switches the watch off, as Kafka's does. */
  constructor(timers: Timers, idleMs: number, onIdle: (connection: Connection) => void) {
    this.#timers = timers
    this.#tickMs = idleMs < 0 ? -1 : Math.max(1, Math.ceil(idleMs / ticksPerLimit))
    this.#onIdle = onIdle
  }

  get tick(): number {
    return this.#tick
  }

  add(connection: Connection): void {
    this.#watched.add(connection)
    if (this.#timer === null) this.#arm()
  }

  /** Without connections there is no timer. */
  remove(connection: Connection): void {
    this.#watched.delete(connection)
    if (this.#watched.size > 0) return
    this.#timer?.cancel()
    this.#timer = null
  }

  #arm(): void {
    // Longer delays than a timer can hold mean never.
    if (this.#tickMs < 0 || this.#tickMs >= 2 ** 31) return
    this.#timer = this.#timers.after(this.#tickMs, () => this.#advance())
  }

  #advance(): void {
    this.#timer = null
    this.#tick += 1
    for (const connection of this.#watched) {
      if (this.#tick - connection.lastActiveTick > ticksPerLimit) this.#onIdle(connection)
    }
    if (this.#watched.size > 0) this.#arm()
  }
}
