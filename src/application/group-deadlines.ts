/** The deadlines of groups: by group and by a key within it, so that a heartbeat replaces the one before. */
import { Deadlines, type Deadline } from './deadlines.ts'
import type { Clock } from './ports/clock.ts'
import type { Timers } from './ports/timers.ts'

export class GroupDeadlines {
  readonly #clock: Clock
  readonly #deadlines: Deadlines
  readonly #groups = new Map<string, Map<string, Deadline>>()

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock
    this.#deadlines = new Deadlines(clock, timers)
  }

  /** How many are pending. */
  get size(): number {
    return this.#deadlines.size
  }

  /** Calls `run` once after this long, instead of what was set for the key before. */
  set(groupId: string, key: string, afterMs: number, run: () => void): void {
    let ofGroup = this.#groups.get(groupId)
    if (ofGroup === undefined) this.#groups.set(groupId, (ofGroup = new Map<string, Deadline>()))
    ofGroup.get(key)?.cancel()
    const deadline = this.#deadlines.at(this.#clock.monotonicMs() + afterMs, () => {
      this.#forget(groupId, key, deadline)
      run()
    })
    ofGroup.set(key, deadline)
  }

  has(groupId: string, key: string): boolean {
    return this.#groups.get(groupId)?.has(key) ?? false
  }

  cancel(groupId: string, key: string): void {
    const deadline = this.#groups.get(groupId)?.get(key)
    if (deadline === undefined) return
    deadline.cancel()
    this.#forget(groupId, key, deadline)
  }

  /** Cancels everything of a group. */
  drop(groupId: string): void {
    for (const deadline of this.#groups.get(groupId)?.values() ?? []) deadline.cancel()
    this.#groups.delete(groupId)
  }

  close(): void {
    this.#deadlines.close()
    this.#groups.clear()
  }

  #forget(groupId: string, key: string, deadline: Deadline): void {
    const ofGroup = this.#groups.get(groupId)
    if (ofGroup?.get(key) !== deadline) return
    ofGroup.delete(key)
    if (ofGroup.size === 0) this.#groups.delete(groupId)
  }
}
