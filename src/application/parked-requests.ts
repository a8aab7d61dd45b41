/** JoinGroup and SyncGroup requests that wait under their tickets until a decision answers them. */
import type { KafkaError } from '../domain/errors.ts'
import type { ClassicReply, JoinAnswer, SyncAnswer } from '../domain/groups/classic-decision.ts'
import type { Ticket } from '../domain/groups/classic-group.ts'

export type ParkedAnswer =
  { readonly join: JoinAnswer } | { readonly sync: SyncAnswer } | { readonly error: KafkaError }

export class ParkedRequests {
  readonly #parked = new Map<Ticket, (answer: ParkedAnswer) => void>()
  #tickets = 0

  /** Parks a request and begins it with its ticket, in this turn. */
  park(begin: (ticket: Ticket) => void): Promise<ParkedAnswer> {
    const ticket = ++this.#tickets
    return new Promise((resolve) => {
      this.#parked.set(ticket, resolve)
      begin(ticket)
    })
  }

  answer({ ticket, ...answer }: ClassicReply): void {
    this.#settle(ticket, answer)
  }

  fail(ticket: Ticket, error: KafkaError): void {
    this.#settle(ticket, { error })
  }

  #settle(ticket: Ticket, answer: ParkedAnswer): void {
    const settle = this.#parked.get(ticket)
    this.#parked.delete(ticket)
    settle?.(answer)
  }
}
