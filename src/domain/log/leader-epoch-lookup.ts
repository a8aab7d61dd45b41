/**
 * Questions about leader epochs that readers ask: is the client's view of the leader current (KIP-320), where did an
 * epoch end (KIP-101, KIP-279), and in which one was an offset written?
 *
 * A leader that has not written yet counts as well: Kafka notes an epoch when it begins, at the end of the log then.
 */
import type { KafkaError } from '../errors.ts'
import { endOffsetForEpoch, type EpochEndOffset, type LeaderEpochEntry } from './leader-epochs.ts'

/** What Kafka answers when it knows no epoch. */
export const UNDEFINED_EPOCH = -1

/** The epochs of a log together with the epoch of whoever leads it now. */
export interface EpochHistory {
  /** Ascending; only epochs that wrote something. */
  readonly entries: readonly LeaderEpochEntry[]
  readonly currentEpoch: number
  /** The offset that the next record gets. */
  readonly logEnd: bigint
}

/** What is wrong with the epoch that a client believes current; `UNDEFINED_EPOCH` says that it has no opinion. */
export function checkLeaderEpoch(believed: number, current: number): KafkaError | null {
  if (believed === UNDEFINED_EPOCH || believed === current) return null
  return believed < current ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
}

/** Where the largest epoch that is not larger than `requested` ended; null for none and for one still to come. */
export function endOfEpoch(history: EpochHistory, requested: number): EpochEndOffset | null {
  const { entries, currentEpoch, logEnd } = history
  const last = entries.at(-1)
  const hasWritten = last !== undefined && last.epoch >= currentEpoch
  const known = hasWritten ? entries : [...entries, { epoch: currentEpoch, startOffset: logEnd }]
  return endOffsetForEpoch(known, requested, logEnd)
}

/** The epoch in which the record at `offset` was or will be written; undefined before the first known one. */
export function epochAt(history: EpochHistory, offset: bigint): number {
  if (offset >= history.logEnd) return history.currentEpoch
  let epoch = UNDEFINED_EPOCH
  for (const entry of history.entries) {
    if (entry.startOffset > offset) break
    epoch = entry.epoch
  }
  return epoch
}
