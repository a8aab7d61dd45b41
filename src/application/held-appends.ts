/**
 * Appends to one partition that wait for the transaction coordinator. Batches of one producer stay in their order: while
 * one waits, whatever comes from the same producer waits behind it. Others are not held up.
 */
import type { Refusal } from '../domain/log/append-rules.ts'
import type { PendingAppend } from './pending-append.ts'

interface Held {
  readonly pending: PendingAppend
  /** undefined = not answered yet; null = it may be appended. */
  answer: Refusal | null | undefined
}

/** What the coordinator's answer comes to; to be called once. */
export type Release = (answer: Refusal | null) => void

export class HeldAppends {
  readonly #queues = new Map<bigint, Held[]>()
  readonly #go: (pending: PendingAppend, answer: Refusal | null) => void

  /** `go` is called for each append in the order of its producer; it must not call back. */
  constructor(go: (pending: PendingAppend, answer: Refusal | null) => void) {
    this.#go = go
  }

  /** Holds an append, behind those of its producer that wait already. */
  hold(pending: PendingAppend): Release {
    const held: Held = { pending, answer: undefined }
    const { producerId } = pending.command.batch
    const queue = this.#queues.get(producerId)
    if (queue === undefined) this.#queues.set(producerId, [held])
    else queue.push(held)
    return (answer) => {
      held.answer = answer
      this.#drain(producerId)
    }
  }

  /** Holds an append that waits for nothing itself, if something before it does. */
  takes(pending: PendingAppend): boolean {
    if (this.#queues.size === 0) return false
    const queue = this.#queues.get(pending.command.batch.producerId)
    queue?.push({ pending, answer: null })
    return queue !== undefined
  }

  #drain(producerId: bigint): void {
    const queue = this.#queues.get(producerId)!
    let answered = 0
    for (; answered < queue.length; answered++) {
      const { pending, answer } = queue[answered]!
      if (answer === undefined) break
      this.#go(pending, answer)
    }
    if (answered === queue.length) this.#queues.delete(producerId)
    else queue.splice(0, answered)
  }
}
