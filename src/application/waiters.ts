/**
 * Requests that wait for something to happen: fetches for records, later acks and share groups. No polling: whoever
 * changes a thing calls `notify(key)`, which costs one map look-up when nobody waits for it.
 *
 * The contract that prevents lost wake-ups: look at the state, and call `wait` in the same turn (no `await` between).
 * A notification between two turns then finds either the state already changed or the waiter already there.
 */
import { Deadlines, type Deadline } from './deadlines.ts'
import type { Clock } from './ports/clock.ts'
import type { Timers } from './ports/timers.ts'

/**
 * Why a wait ended. `full`: the bound on parked keys is reached, so it never began; `closed`: the broker stops.
 * In all cases but `notified` the request is to be answered with what there is.
 */
export type WaitEnd = 'notified' | 'deadline' | 'cancelled' | 'closed' | 'full'

/** A request that waits. */
export interface Wait {
  /** Resolves once, in a later turn than what ended it; never rejects. */
  readonly ended: Promise<WaitEnd>
  /** Gives the wait up, as when the client has gone. Does nothing once it has ended. */
  cancel(): void
}

export interface WaitersLimits {
  /** The most keys that all waits together may hold; each costs some 100 bytes. */
  readonly keysMax: number
}

/** `Key` is whatever stands for the thing that changes, compared by identity: an object costs less than its name. */
export class Waiters<Key> {
  readonly #deadlines: Deadlines
  readonly #keysMax: number
  /** By key, the first of those who wait for it. */
  readonly #links = new Map<Key, Link<Key>>()
  readonly #waiting = new Set<ParkedWait<Key>>()
  #keys = 0
  #closed = false

  constructor(clock: Clock, timers: Timers, limits: WaitersLimits) {
    this.#deadlines = new Deadlines(clock, timers)
    this.#keysMax = limits.keysMax
  }

  /** How many waits are under way. */
  get size(): number {
    return this.#waiting.size
  }

  /**
   * Waits for `notify` of one of `keys`, at most until `deadlineMs` (of `Clock.monotonicMs`). `accept` runs inside
   * `notify`, gets the place of the key in `keys` and says whether this notification is enough; it must be quick and
   * must not call back. Without it any notification is enough.
   */
  wait(keys: readonly Key[], deadlineMs: number, accept: (index: number) => boolean = always): Wait {
    const full = this.#keys + keys.length > this.#keysMax
    if (this.#closed || full) return over(this.#closed ? 'closed' : 'full')
    const parked = new ParkedWait<Key>(accept, (wait) => this.#forget(wait))
    parked.deadline = this.#deadlines.at(deadlineMs, () => parked.end('deadline'))
    for (let index = 0; index < keys.length; index++) parked.links.push(this.#link(keys[index]!, index, parked))
    this.#keys += keys.length
    this.#waiting.add(parked)
    return parked
  }

  /** Something happened to `key`: ends every wait for it that accepts this. */
  notify(key: Key): void {
    let link = this.#links.get(key)
    // Links that leave the list keep their `next`, so going on from one that just left is safe.
    for (; link !== undefined; link = link.next) {
      if (link.wait.accept(link.index)) link.wait.end('notified')
    }
  }

  /** Ends every wait and refuses new ones. */
  close(): void {
    this.#closed = true
    for (const wait of this.#waiting) wait.end('closed')
    this.#deadlines.close()
  }

  #link(key: Key, index: number, wait: ParkedWait<Key>): Link<Key> {
    const link = new Link(key, index, wait)
    const first = this.#links.get(key)
    if (first === undefined) {
      this.#links.set(key, link)
    } else {
      // Second place: the map's entry stays as it is.
      link.previous = first
      link.next = first.next
      if (first.next !== undefined) first.next.previous = link
      first.next = link
    }
    return link
  }

  #forget(wait: ParkedWait<Key>): void {
    this.#waiting.delete(wait)
    this.#keys -= wait.links.length
    for (const link of wait.links) {
      if (link.next !== undefined) link.next.previous = link.previous
      if (link.previous !== undefined) link.previous.next = link.next
      else if (link.next !== undefined) this.#links.set(link.key, link.next)
      else this.#links.delete(link.key)
    }
  }
}

function always(): boolean {
  return true
}

function over(end: WaitEnd): Wait {
  return { ended: Promise.resolve(end), cancel: () => undefined }
}

class Link<Key> {
  readonly key: Key
  readonly index: number
  readonly wait: ParkedWait<Key>
  previous: Link<Key> | undefined = undefined
  next: Link<Key> | undefined = undefined

  constructor(key: Key, index: number, wait: ParkedWait<Key>) {
    this.key = key
    this.index = index
    this.wait = wait
  }
}

class ParkedWait<Key> implements Wait {
  readonly ended: Promise<WaitEnd>
  readonly links: Link<Key>[] = []
  readonly accept: (index: number) => boolean
  deadline: Deadline | null = null
  readonly #forget: (wait: ParkedWait<Key>) => void
  #resolve: ((end: WaitEnd) => void) | null = null

  constructor(accept: (index: number) => boolean, forget: (wait: ParkedWait<Key>) => void) {
    this.accept = accept
    this.#forget = forget
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  cancel(): void {
    this.end('cancelled')
  }

  end(end: WaitEnd): void {
    const resolve = this.#resolve
    if (resolve === null) return
    this.#resolve = null
    this.deadline?.cancel()
    this.#forget(this)
    resolve(end)
  }
}
