/** Errors of the transaction APIs for clients that do not know PRODUCER_FENCED yet (KIP-588). */
import { errorCode, type ErrorName } from '../../../domain/errors.ts'

export function fencedCode(error: ErrorName, knowsFenced: boolean): number {
  return errorCode(error === 'PRODUCER_FENCED' && !knowsFenced ? 'INVALID_PRODUCER_EPOCH' : error)
}
