/**
 * Questions about leader epochs that readers ask: is the client's view of the leader current (KIP-320), and where did
 * an epoch end (KIP-101, KIP-279)?
 *
 * A leader that has not written yet counts as well: Kafka notes an epoch when it begins, at the end of the log then.
 */
import type { KafkaError } from '../errors.ts'
import type { LeaderEpochEntry } from './leader-epochs.ts'

/** No epoch, and no offset: what Kafka answers when it knows none. */
export const UNDEFINED_EPOCH = -1
export const UNDEFINED_EPOCH_OFFSET = -1n

export interface EpochEnd {
  readonly epoch: number
  /** The offset after the last record of that epoch. */
  readonly endOffset: bigint
}

/** The epochs of a log together with the epoch of whoever leads it now. */
export interface EpochHistory {
  /** Ascending; only epochs that wrote something. */
  readonly entries: readonly LeaderEpochEntry[]
  readonly currentEpoch: number
  /** The offset that the next record gets. */
  readonly logEnd: bigint
}

/** What is wrong with the epoch that a client believes current; a negative one says that it has no opinion. */
export function checkLeaderEpoch(believed: number, current: number): KafkaError | null {
  if (believed < 0 || believed === current) return null
  return believed < current ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
}

const undefinedEnd: EpochEnd = { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_EPOCH_OFFSET }

/**
 * Where the largest epoch that is not larger than `requested` ended. Undefined for no epoch and for one that is still
 * to come; an epoch older than all known ones is answered as itself, ended where the first known one began.
 */
export function endOfEpoch(history: EpochHistory, requested: number): EpochEnd {
  if (requested === UNDEFINED_EPOCH) return undefinedEnd
  if (requested === history.currentEpoch) return { epoch: requested, endOffset: history.logEnd }
  if (requested > history.currentEpoch) return undefinedEnd
  let floor: LeaderEpochEntry | undefined
  for (const entry of history.entries) {
    if (entry.epoch > requested) return { epoch: floor?.epoch ?? requested, endOffset: entry.startOffset }
    floor = entry
  }
  // The next higher epoch is the current one, which has not written yet: it began at the end of the log.
  return { epoch: floor?.epoch ?? requested, endOffset: history.logEnd }
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
