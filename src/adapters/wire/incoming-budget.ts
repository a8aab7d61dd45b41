/**
 * The bound over the memory of all requests that have arrived in part, on all connections of one server: without it a
 * crowd of slow senders, each within `socket.request.max.bytes`, would take all there is.
 *
 * Past the bound no arriving request gets more memory but the oldest one, whose connection is willing to read; the
 * others wait unread, in the kernel and in their clients. So one request always may finish, however large, and then
 * the next. An oldest one that brings next to nothing while others wait closes its connection: it would hold up
 * everybody. Requests that come in one read are not concerned: they never wait here.
 *
 * What connections have read before the bound was reached, 64 kB each at the most, is beyond it.
 */
import process from 'node:process'
import type { Timer, Timers } from '../../application/ports/timers.ts'

/** How long the oldest request may bring less than `stallBytes` while others wait. */
const stallMs = 5000
const stallBytes = 65_536

/** Whom to tell. */
export interface ArrivalEvents {
  /** It may read again. */
  readonly wake: () => void
  /** It brings too little while others wait. */
  readonly tooSlow: () => void
}

/** The request that arrives on one connection, if one does. */
export class Arrival {
  readonly #budget: IncomingBudget
  events: ArrivalEvents | null = null
  heldBytes = 0
  /** Since it was last looked at. */
  receivedBytes = 0
  /** Nothing else keeps its connection from reading. */
  willing = true

  constructor(budget: IncomingBudget) {
    this.#budget = budget
  }

  /** `count` bytes came; the request in part occupies `heldBytes` now (0 = there is none). */
  received(count: number, heldBytes: number, finishedOne: boolean): void {
    this.receivedBytes += count
    if (heldBytes !== this.heldBytes || finishedOne) this.#budget.hold(this, heldBytes, finishedOne)
  }

  /** Whether more memory may be taken for it. */
  readonly mayGrow = (): boolean => this.#budget.mayGrow(this)

  /** Whether it may be read on; if not, `wake` follows. `willing` = nothing else speaks against it. */
  mayRead(willing: boolean): boolean {
    if (willing !== this.willing) this.#budget.setWilling(this, willing)
    return willing && this.#budget.mayRead(this)
  }

  /** Its memory is given back and nothing more will come. */
  end(): void {
    this.#budget.end(this)
  }
}

export class IncomingBudget {
  readonly #bytesMax: number
  readonly #timers: Timers
  #bytes = 0
  /** The oldest first. */
  readonly #holders = new Set<Arrival>()
  readonly #waiting = new Set<Arrival>()
  #waking = false
  #watch: Timer | null = null

  constructor(bytesMax: number, timers: Timers) {
    this.#bytesMax = bytesMax
    this.#timers = timers
  }

  arrival(): Arrival {
    return new Arrival(this)
  }

  hold(arrival: Arrival, heldBytes: number, finishedOne: boolean): void {
    // The next request of a connection stands behind those that have been arriving meanwhile.
    if (finishedOne || heldBytes === 0) this.#holders.delete(arrival)
    if (heldBytes > 0) this.#holders.add(arrival)
    this.#bytes += heldBytes - arrival.heldBytes
    arrival.heldBytes = heldBytes
    this.#wakeSoon()
  }

  setWilling(arrival: Arrival, willing: boolean): void {
    arrival.willing = willing
    if (!willing) this.#waiting.delete(arrival)
    this.#wakeSoon()
  }

  mayGrow(arrival: Arrival): boolean {
    return this.#bytes <= this.#bytesMax || this.#oldest() === arrival
  }

  mayRead(arrival: Arrival): boolean {
    if (arrival.heldBytes === 0 || this.mayGrow(arrival)) return true
    this.#waiting.add(arrival)
    if (this.#watch === null) this.#watchOldest()
    return false
  }

  end(arrival: Arrival): void {
    this.#waiting.delete(arrival)
    this.hold(arrival, 0, true)
  }

  #oldest(): Arrival | null {
    for (const arrival of this.#holders) if (arrival.willing) return arrival
    return null
  }

  #wakeSoon(): void {
    if (this.#waiting.size === 0) this.#stopWatching()
    if (this.#waiting.size === 0 || this.#waking) return
    this.#waking = true
    // Not at once: who tells is in the middle of its own work.
    process.nextTick(() => {
      this.#waking = false
      for (const arrival of [...this.#waiting]) {
        if (!this.mayGrow(arrival)) continue
        this.#waiting.delete(arrival)
        arrival.events?.wake()
      }
      if (this.#waiting.size === 0) this.#stopWatching()
    })
  }

  #watchOldest(): void {
    const watched = this.#oldest()
    if (watched !== null) watched.receivedBytes = 0
    this.#watch = this.#timers.after(stallMs, () => {
      this.#watch = null
      if (watched !== null && watched === this.#oldest() && watched.receivedBytes < stallBytes) {
        watched.events?.tooSlow()
        this.end(watched)
      }
      if (this.#waiting.size > 0) this.#watchOldest()
    })
  }

  #stopWatching(): void {
    this.#watch?.cancel()
    this.#watch = null
  }
}
