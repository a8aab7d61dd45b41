/**
 * Many deadlines behind one timer: adding and cancelling cost O(log n) and no system timer each, because the single
 * timer is set for the earliest deadline only and stays set when that one is cancelled.
 *
 * Deadlines are points of `Clock.monotonicMs`. They never keep the process alive (see Timers).
 */
import type { Clock } from './ports/clock.ts'
import type { Timer, Timers } from './ports/timers.ts'

/** Longer delays would overflow the 32-bit milliseconds of common timers; the timer is simply set again. */
const DELAY_MAX_MS = 1_000_000_000

/** Something that is due at a time. Cancelling it after it ran or was cancelled does nothing. */
export interface Deadline {
  cancel(): void
}

export class Deadlines {
  readonly #clock: Clock
  readonly #timers: Timers
  /** A binary heap, earliest first; each entry knows its place. */
  readonly #heap: Entry[] = []
  #timer: Timer | null = null
  /** When the timer fires; meaningless while there is none. */
  #timerAtMs = 0
  #closed = false

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock
    this.#timers = timers
  }

  /** How many deadlines are pending. */
  get size(): number {
    return this.#heap.length
  }

  /** Calls `run` once at or soon after `atMs`; never from inside this call. After `close` nothing is called. */
  at(atMs: number, run: () => void): Deadline {
    const entry = new Entry(this.#heap, atMs, run)
    if (this.#closed) return entry
    entry.index = this.#heap.length
    this.#heap.push(entry)
    siftUp(this.#heap, entry)
    if (this.#heap[0] === entry) this.#arm()
    return entry
  }

  /** Forgets all deadlines and the timer. */
  close(): void {
    this.#closed = true
    for (const entry of this.#heap) entry.index = NOT_PENDING
    this.#heap.length = 0
    this.#timer?.cancel()
    this.#timer = null
  }

  #arm(): void {
    const earliest = this.#heap[0]
    if (earliest === undefined) return
    if (this.#timer !== null) {
      if (this.#timerAtMs <= earliest.atMs) return
      this.#timer.cancel()
    }
    const nowMs = this.#clock.monotonicMs()
    const delayMs = Math.min(Math.max(0, Math.ceil(earliest.atMs - nowMs)), DELAY_MAX_MS)
    this.#timerAtMs = nowMs + delayMs
    this.#timer = this.#timers.after(delayMs, () => this.#fire())
  }

  #fire(): void {
    this.#timer = null
    const nowMs = this.#clock.monotonicMs()
    try {
      for (let entry = this.#heap[0]; entry !== undefined && entry.atMs <= nowMs; entry = this.#heap[0]) {
        entry.cancel()
        entry.run()
      }
    } finally {
      this.#arm()
    }
  }
}

const NOT_PENDING = -1

class Entry implements Deadline {
  readonly #heap: Entry[]
  readonly atMs: number
  readonly run: () => void
  index = NOT_PENDING

  constructor(heap: Entry[], atMs: number, run: () => void) {
    this.#heap = heap
    this.atMs = atMs
    this.run = run
  }

  cancel(): void {
    const { index } = this
    if (index === NOT_PENDING) return
    this.index = NOT_PENDING
    const last = this.#heap.pop()!
    if (last === this) return
    last.index = index
    this.#heap[index] = last
    siftUp(this.#heap, last)
    siftDown(this.#heap, last)
  }
}

function siftUp(heap: Entry[], entry: Entry): void {
  while (entry.index > 0) {
    const parent = heap[(entry.index - 1) >> 1]!
    if (parent.atMs <= entry.atMs) return
    swap(heap, parent, entry)
  }
}

function siftDown(heap: Entry[], entry: Entry): void {
  for (;;) {
    const left = heap[entry.index * 2 + 1]
    if (left === undefined) return
    const right = heap[entry.index * 2 + 2]
    const child = right !== undefined && right.atMs < left.atMs ? right : left
    if (entry.atMs <= child.atMs) return
    swap(heap, entry, child)
  }
}

function swap(heap: Entry[], a: Entry, b: Entry): void {
  const index = a.index
  a.index = b.index
  b.index = index
  heap[a.index] = a
  heap[b.index] = b
}
