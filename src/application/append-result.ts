/** What became of one batch that was to be appended to a partition. */
import type { ErrorName, KafkaError } from '../domain/errors.ts'
import { refusal, type RecordProblem, type Refusal } from '../domain/log/append-rules.ts'

export interface AppendResult {
  readonly error: ErrorName
  readonly message: string | null
  readonly recordProblems: readonly RecordProblem[]
  /** -1 when nothing was appended; so are the next two where Kafka does not tell them. */
  readonly baseOffset: bigint
  readonly logAppendTimeMs: bigint
  readonly logStartOffset: bigint
}

/** The offset or time that there is none of. */
export const NOT_KNOWN = -1n
const noProblems: readonly RecordProblem[] = []

/** The answer for a batch that is in the log. */
export function appended(baseOffset: bigint, logAppendTimeMs: bigint, logStartOffset: bigint): AppendResult {
  return { error: 'NONE', message: null, recordProblems: noProblems, baseOffset, logAppendTimeMs, logStartOffset }
}

/** The answer for a batch that never got as far as a partition, or to one that is not usable. */
export function notAppended(error: KafkaError): AppendResult {
  return refused(refusal(error, false), NOT_KNOWN)
}

/** The answer for a batch that the rules refuse. */
export function refused(why: Refusal, logStartOffset: bigint): AppendResult {
  return {
    error: why.error,
    message: why.message,
    recordProblems: why.recordProblems,
    baseOffset: NOT_KNOWN,
    logAppendTimeMs: NOT_KNOWN,
    logStartOffset: why.tellsLogStart ? logStartOffset : NOT_KNOWN,
  }
}
