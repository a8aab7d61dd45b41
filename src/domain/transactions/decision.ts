/** What a decision about a transactional id comes to. */
import type { KafkaError } from '../errors.ts'
import type { Transaction } from './transaction.ts'

/** Nothing changes: why not. */
export interface Refused {
  readonly refused: KafkaError
}

/** The transaction from now on; null = it is right as it is. */
export interface Decided {
  readonly refused: null
  readonly next: Transaction | null
}

/** A fresh producer id is needed and none is at hand: get some, then decide again. */
export interface NeedsProducerId {
  readonly refused: 'needs a producer id'
}

/** Takes a producer id that nobody has had, null when none is at hand. */
export type TakeProducerId = () => bigint | null

export const refuse = (refused: KafkaError): Refused => ({ refused })
export const decided = (next: Transaction | null): Decided => ({ refused: null, next })
export const needsProducerId: NeedsProducerId = { refused: 'needs a producer id' }
