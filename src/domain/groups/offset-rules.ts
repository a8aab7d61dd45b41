/**
 * Committing, reading, deleting and expiring the offsets of groups, whatever protocol the groups speak.
 */
import type { ErrorName, KafkaError } from '../errors.ts'
import type { Uuid } from '../uuid.ts'
import type { CommittedOffset } from './committed-offsets.ts'
import type { Group, OffsetCommitter } from './group.ts'
import type { GroupRecord } from './group-record.ts'
import type { GroupShard } from './group-shard.ts'

/** The broker configs of the same names. */
export interface OffsetRules {
  readonly offsetMetadataMaxBytes: number
  readonly offsetsRetentionMs: bigint
}

export interface CommitCommand {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationOrEpoch: number
  /** How long the offsets are to be kept; -1 = as the broker says. */
  readonly retentionTimeMs: bigint
  /** OffsetCommit v9 and later know the errors of KIP-848; older clients get those that they know. */
  readonly knowsEpochs: boolean
  readonly topics: readonly CommittedTopic[]
}

export interface CommittedTopic {
  readonly name: string
  readonly topicId: Uuid
  readonly partitions: readonly {
    readonly partition: number
    readonly offset: bigint
    readonly leaderEpoch: number
    readonly metadata: string | null
  }[]
}

/** Why the commit is refused as a whole, or null. */
export function refuseCommit(group: Group | null, command: CommitCommand): KafkaError | null {
  const { generationOrEpoch, knowsEpochs } = command
  if (group === null) {
    // Whoever commits without being a member makes a group that has only offsets.
    if (generationOrEpoch < 0) return null
    return knowsEpochs ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION'
  }
  const refused = group.refuseCommit({ ...command, transactional: false })
  return refused === 'STALE_MEMBER_EPOCH' && !knowsEpochs ? 'UNSUPPORTED_VERSION' : refused
}

/** As `refuseCommit`, of a commit that is part of a transaction: its clients know generations only. */
export function refuseTransactionalCommit(
  group: Group | null,
  committer: Omit<OffsetCommitter, 'transactional' | 'knowsEpochs'>,
): KafkaError | null {
  if (group === null) return committer.generationOrEpoch < 0 ? null : 'ILLEGAL_GENERATION'
  const refused = group.refuseCommit({ ...committer, transactional: true })
  return refused === 'STALE_MEMBER_EPOCH' ? 'ILLEGAL_GENERATION' : refused
}

export interface CommitDecision {
  readonly records: readonly GroupRecord[]
  /** One error for each partition, in the order of the command. */
  readonly errors: readonly (readonly ErrorName[])[]
}

type CommittedOffsetsOf = Pick<CommitCommand, 'groupId' | 'retentionTimeMs' | 'topics'>

/** The records of an acceptable commit. */
export function decideCommit(command: CommittedOffsetsOf, rules: OffsetRules, nowMs: bigint): CommitDecision {
  const { groupId, retentionTimeMs } = command
  const expireTimestamp = retentionTimeMs === -1n ? -1n : nowMs + retentionTimeMs
  const records: GroupRecord[] = []
  const errors = command.topics.map(({ name, topicId, partitions }) =>
    partitions.map(({ partition, offset, leaderEpoch, metadata }): ErrorName => {
      if (metadata !== null && metadata.length > rules.offsetMetadataMaxBytes) return 'OFFSET_METADATA_TOO_LARGE'
      records.push({
        type: 'OffsetCommit',
        key: { group: groupId, topic: name, partition },
        value: {
          offset,
          leaderEpoch,
          metadata: metadata ?? '',
          commitTimestamp: nowMs,
          expireTimestamp,
          topicId,
        },
      })
      return 'NONE'
    }),
  )
  return { records, errors }
}

/** The answer for one partition: its committed offset, that there is none, or that a transaction may yet change it. */
export type FetchedOffset =
  | { readonly error: 'NONE' | 'UNSTABLE_OFFSET_COMMIT'; readonly offset: null }
  | { readonly error: 'NONE'; readonly offset: CommittedOffset }

export function fetchOffset(
  shard: GroupShard,
  groupId: string,
  topic: string,
  partition: number,
  requireStable: boolean,
): FetchedOffset {
  if (requireStable && shard.offsets.isPending(groupId, topic, partition)) {
    return { error: 'UNSTABLE_OFFSET_COMMIT', offset: null }
  }
  return { error: 'NONE', offset: shard.offsets.get(groupId, topic, partition) }
}

/** Why partitions' offsets are not deleted; for the group as a whole or for each partition. */
export function refuseOffsetDelete(group: Group | null): KafkaError | null {
  return group === null ? 'GROUP_ID_NOT_FOUND' : group.refuseOffsetDelete()
}

export interface OffsetDeletion {
  readonly records: readonly GroupRecord[]
  readonly error: 'NONE' | 'GROUP_SUBSCRIBED_TO_TOPIC'
}

export function decideOffsetDelete(shard: GroupShard, group: Group, topic: string, partition: number): OffsetDeletion {
  if (group.isSubscribedTo(topic)) return { records: [], error: 'GROUP_SUBSCRIBED_TO_TOPIC' }
  const { groupId } = group
  const exists =
    shard.offsets.get(groupId, topic, partition) !== null || shard.offsets.isPending(groupId, topic, partition)
  return { records: exists ? [offsetTombstone(groupId, topic, partition)] : [], error: 'NONE' }
}

function offsetTombstone(group: string, topic: string, partition: number): GroupRecord {
  return { type: 'OffsetCommit', key: { group, topic, partition }, value: null }
}

/** Everything that the log holds of a group: its offsets, those of open transactions too, then the group itself. */
export function decideGroupDeletion(shard: GroupShard, group: Group): readonly GroupRecord[] {
  const { groupId } = group
  const records: GroupRecord[] = []
  for (const [topic, partitions] of shard.offsets.ofGroup(groupId)) {
    for (const partition of partitions.keys()) records.push(offsetTombstone(groupId, topic, partition))
  }
  for (const { topic, partition } of shard.offsets.pendingOf(groupId)) {
    if (shard.offsets.get(groupId, topic, partition) === null) records.push(offsetTombstone(groupId, topic, partition))
  }
  return [...records, ...group.tombstones()]
}

/** The offsets whose retention is over, and the groups that have nothing left. */
export function decideExpiry(shard: GroupShard, rules: OffsetRules, nowMs: bigint): readonly GroupRecord[] {
  const records: GroupRecord[] = []
  for (const group of shard.groups()) {
    const { expired, all } = expiredOffsets(shard, group, rules, nowMs)
    for (const record of expired) records.push(record)
    if (all && group.isEmpty && !shard.offsets.hasPending(group.groupId)) records.push(...group.tombstones())
  }
  return records
}

function expiredOffsets(shard: GroupShard, group: Group, { offsetsRetentionMs }: OffsetRules, nowMs: bigint) {
  const { groupId } = group
  const expired: GroupRecord[] = []
  let all = true
  for (const [topic, partitions] of shard.offsets.ofGroup(groupId)) {
    const isSubscribed = group.isSubscribedTo(topic)
    for (const [partition, offset] of partitions) {
      const keep =
        isSubscribed ||
        !isOver(group, offset, offsetsRetentionMs, nowMs) ||
        shard.offsets.isPending(groupId, topic, partition)
      if (keep) all = false
      else expired.push(offsetTombstone(groupId, topic, partition))
    }
  }
  return { expired, all }
}

function isOver(group: Group, offset: CommittedOffset, retentionMs: bigint, nowMs: bigint): boolean {
  const start = group.retentionStart(offset.commitTimestamp)
  if (start === null) return false
  return offset.expireTimestamp === -1n ? nowMs - start >= retentionMs : nowMs >= offset.expireTimestamp
}

/** The offsets of topics that are gone. Their groups stay. */
export function decideTopicsGone(shard: GroupShard, topics: readonly string[]): readonly GroupRecord[] {
  const records = new Map<string, GroupRecord>()
  for (const name of topics) {
    for (const { group, topic, partition } of shard.offsets.ofTopic(name)) {
      records.set(JSON.stringify([group, topic, partition]), offsetTombstone(group, topic, partition))
    }
  }
  return [...records.values()]
}
