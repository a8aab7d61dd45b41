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

/** `Key` is the object that changes, or one that stands for it: what is remembered of it goes when it goes. */
export class Waiters<Key extends object> {
  readonly #deadlines: Deadlines
  readonly #keysMax: number
  /** Who waits for a key. Entries stay when nobody does, so that waiting again for the same thing costs little. */
  readonly #queues = new WeakMap<Key, Queue>()
  readonly #waiting = new Set<ParkedWait>()
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
    const parked = new ParkedWait(accept, this.#forget)
    parked.deadline = this.#deadlines.at(deadlineMs, () => parked.end('deadline'))
    for (let index = 0; index < keys.length; index++) parked.links.push(this.#link(keys[index]!, index, parked))
    this.#keys += keys.length
    this.#waiting.add(parked)
    return parked
  }

  /** Something happened to `key`: ends every wait for it that accepts this. */
  notify(key: Key): void {
    let link = this.#queues.get(key)?.next
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

  #link(key: Key, index: number, wait: ParkedWait): Link {
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = { next: undefined }
      this.#queues.set(key, queue)
    }
    const link = new Link(index, wait, queue, queue.next)
    if (queue.next !== undefined) queue.next.previous = link
    queue.next = link
    return link
  }

  readonly #forget = (wait: ParkedWait): void => {
    this.#waiting.delete(wait)
    this.#keys -= wait.links.length
    for (const link of wait.links) {
      link.previous.next = link.next
      if (link.next !== undefined) link.next.previous = link.previous
    }
  }
}

function always(): boolean {
  return true
}

function over(end: WaitEnd): Wait {
  return { ended: Promise.resolve(end), cancel: () => undefined }
}

/** The beginning of a list of links. */
interface Queue {
  next: Link | undefined
}

class Link implements Queue {
  readonly index: number
  readonly wait: ParkedWait
  previous: Queue
  next: Link | undefined

  constructor(index: number, wait: ParkedWait, previous: Queue, next: Link | undefined) {
    this.index = index
    this.wait = wait
    this.previous = previous
    this.next = next
  }
}

class ParkedWait implements Wait {
  readonly ended: Promise<WaitEnd>
  readonly links: Link[] = []
  readonly accept: (index: number) => boolean
  deadline: Deadline | null = null
  readonly #forget: (wait: ParkedWait) => void
  #resolve: ((end: WaitEnd) => void) | null = null

  constructor(accept: (index: number) => boolean, forget: (wait: ParkedWait) => void) {
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
