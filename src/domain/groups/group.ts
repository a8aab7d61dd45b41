/**
 * What every group answers, whatever protocol its members speak: enough for offsets, listing and deleting. A group id
 * names one group of one type at a time.
 */
import type { KafkaError } from '../errors.ts'
import type { Uuid } from '../uuid.ts'
import type { GroupRecord } from './group-record.ts'

export type GroupType = 'classic' | 'consumer' | 'share' | 'streams'

/** Who commits offsets, as the request says it. */
export interface OffsetCommitter {
  /** '' = nobody in particular: an admin, or a consumer outside the group. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** A classic generation or a member epoch; -1 = none. */
  readonly generationOrEpoch: number
  readonly transactional: boolean
  /** false = the request is of a version that knows no member epochs (OffsetCommit before 9). */
  readonly knowsEpochs?: boolean
  /** What is committed, for groups that accept an older epoch for what a member holds since (KIP-1251). */
  readonly topics?: readonly {
    readonly topicId: Uuid
    readonly partitions: readonly { readonly partition: number }[]
  }[]
}

export interface Group {
  readonly groupId: string
  readonly type: GroupType
  /** As ListGroups says it: 'consumer', 'connect', '' … */
  readonly protocolType: string
  /** As ListGroups says it: 'Empty', 'Stable', 'PreparingRebalance' … */
  readonly stateName: string
  /** No member: the group goes when its last offset expires. */
  readonly isEmpty: boolean
  /** Why this committer may not commit, or null. */
  refuseCommit(committer: OffsetCommitter): KafkaError | null
  /** Why this member may not fetch offsets, or null; (null, -1) is nobody in particular. */
  refuseFetch(memberId: string | null, memberEpoch: number): KafkaError | null
  /** Why the group cannot be deleted, or null. */
  refuseDelete(): KafkaError | null
  /** Why no offset of the group can be deleted at all, or null. */
  refuseOffsetDelete(): KafkaError | null
  /** Whether a member subscribes to the topic, so that its offsets must stay. */
  isSubscribedTo(topic: string): boolean
  /** From when on the retention of an offset runs, given its commit; null = it does not run now. */
  retentionStart(commitTimestampMs: bigint): bigint | null
  /** The tombstones of everything that the log may hold of the group, its offsets apart. */
  tombstones(): readonly GroupRecord[]
}
