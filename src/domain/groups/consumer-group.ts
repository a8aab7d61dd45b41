/**
 * A consumer group of the KIP-848 protocol as its records make it: members, epochs, target, who holds what, and which
 * topics its regular expressions stand for.
 *
 * `evolve` is the only thing that changes it; decisions (consumer-heartbeat.ts, consumer-removal.ts, consumer-regex.ts)
 * only read. Beside the records it keeps a memo of the topics it has looked at, which a replayed group starts without.
 */
import type { ClusterImage } from '../cluster/cluster-image.ts'
import type { KafkaError } from '../errors.ts'
import type { Uuid } from '../uuid.ts'
import type { Assignment } from './assignors/assignor.ts'
import {
  memberTombstones,
  newMember,
  withAssignment,
  withSubscription,
  type ConsumerMember,
  type PartitionEpochs,
  type ConsumerGroupRecord,
} from './consumer-member.ts'
import type { Group, OffsetCommitter } from './group.ts'
import type { RegularExpressionValue } from './group-record.ts'

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** Observed on 4.3.1: a group starts at 1, and its first subscription makes it 2. */
const FIRST_EPOCH = 1
/** Of a member for which none was ever written. */
export const NO_TARGET: Assignment = new Map()

/** When the group last looked at the topics of an image, and which they were. */
export interface TopicsSeen {
  readonly topics: ClusterImage['topicsByName']
  readonly brokers: ClusterImage['brokers']
}

export class ConsumerGroup implements Group {
  readonly type = 'consumer'
  readonly protocolType = 'consumer'
  readonly groupId: string
  epoch = FIRST_EPOCH
  metadataHash = 0n
  assignmentEpoch = FIRST_EPOCH
  /** When the target was computed, in milliseconds. */
  assignmentTimestamp = 0n
  /** The topics whose hash is `metadataHash`; null = not looked at since the group was loaded. */
  topicsSeen: TopicsSeen | null = null
  /** The topics that the regular expressions were held against, and when. */
  regexesSeen: { readonly topics: ClusterImage['topicsByName']; readonly atMs: bigint } | null = null
  readonly #members = new Map<string, ConsumerMember>()
  readonly #staticMembers = new Map<string, string>()
  readonly #targets = new Map<string, Assignment>()
  readonly #regexes = new Map<string, RegularExpressionValue>()
  readonly #owners = new Map<Uuid, Map<number, string>>()
  readonly #regexSubscribers = new Map<string, number>()

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members
  }

  /** By pattern, what it was found to match. */
  get regexes(): ReadonlyMap<string, RegularExpressionValue> {
    return this.#regexes
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  get state(): ConsumerGroupState {
    if (this.isEmpty) return 'Empty'
    if (this.epoch > this.assignmentEpoch) return 'Assigning'
    for (const { state, memberEpoch } of this.#members.values()) {
      if (state !== 'STABLE' || memberEpoch !== this.assignmentEpoch) return 'Reconciling'
    }
    return 'Stable'
  }

  get stateName(): string {
    return this.state
  }

  staticMember(instanceId: string): ConsumerMember | null {
    const memberId = this.#staticMembers.get(instanceId)
    return memberId === undefined ? null : (this.#members.get(memberId) ?? null)
  }

  target(memberId: string): Assignment {
    return this.#targets.get(memberId) ?? NO_TARGET
  }

  ownerOf(topic: Uuid, partition: number): string | undefined {
    return this.#owners.get(topic)?.get(partition)
  }

  regexSubscribers(pattern: string): number {
    return this.#regexSubscribers.get(pattern) ?? 0
  }

  /** The patterns that members subscribe to. */
  subscribedRegexes(): readonly string[] {
    return [...this.#regexSubscribers.keys()]
  }

  isSubscribedTo(topic: string): boolean {
    for (const { subscribedTopicNames, subscribedTopicRegex } of this.#members.values()) {
      if (subscribedTopicNames.includes(topic)) return true
      if (this.#regexes.get(subscribedTopicRegex)?.topics.includes(topic) ?? false) return true
    }
    return false
  }

  refuseCommit(committer: OffsetCommitter): KafkaError | null {
    const { memberId, groupInstanceId, generationOrEpoch, transactional, topics } = committer
    if (generationOrEpoch < 0 && this.isEmpty) return null
    // The fields are optional in TxnOffsetCommit.
    if (transactional && generationOrEpoch === -1 && memberId === '' && groupInstanceId === null) return null
    const member = this.#members.get(memberId)
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    const isClassic = member.classicMemberMetadata !== null
    if (!isClassic && !transactional && committer.knowsEpochs === false) return 'UNSUPPORTED_VERSION'
    if (generationOrEpoch === member.memberEpoch) return null
    const stale = isClassic ? 'ILLEGAL_GENERATION' : 'STALE_MEMBER_EPOCH'
    if (generationOrEpoch > member.memberEpoch || topics === undefined) return stale
    // KIP-1251: an older epoch will do for what has been the member's since then.
    const since = (topicId: Uuid, partition: number): number =>
      epochOf(member.assigned, topicId, partition) ?? epochOf(member.pendingRevocation, topicId, partition) ?? Infinity
    const held = topics.every(({ topicId, partitions }) =>
      partitions.every(({ partition }) => since(topicId, partition) <= generationOrEpoch),
    )
    return held ? null : stale
  }

  refuseFetch(memberId: string | null, memberEpoch: number): KafkaError | null {
    if (memberId === null && memberEpoch < 0) return null
    const member = this.#members.get(memberId ?? '')
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    if (member.memberEpoch === memberEpoch) return null
    return member.classicMemberMetadata === null ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION'
  }

  refuseDelete(): KafkaError | null {
    return this.isEmpty ? null : 'NON_EMPTY_GROUP'
  }

  refuseOffsetDelete(): KafkaError | null {
    return null
  }

  retentionStart(commitTimestampMs: bigint): bigint | null {
    return commitTimestampMs
  }

  tombstones(): readonly ConsumerGroupRecord[] {
    return groupTombstones(this.groupId, [...this.#members.keys()], [...this.#regexes.keys()])
  }

  /** One of the group's records. The tombstone of ConsumerGroupMetadata is its owner's business: the group is gone. */
  evolve(record: ConsumerGroupRecord): void {
    switch (record.type) {
      case 'ConsumerGroupMetadata':
        this.epoch = record.value?.epoch ?? this.epoch
        this.metadataHash = record.value?.metadataHash ?? 0n
        return
      case 'ConsumerGroupMemberMetadata': {
        const { key, value } = record
        if (value === null) this.#remove(key.memberId)
        else this.#put(withSubscription(this.#members.get(key.memberId) ?? newMember(key.memberId), value))
        return
      }
      case 'ConsumerGroupCurrentMemberAssignment': {
        const { key, value } = record
        const member = this.#members.get(key.memberId)
        if (member === undefined && value === null) return
        this.#put(withAssignment(member ?? newMember(key.memberId), value))
        return
      }
      case 'ConsumerGroupTargetAssignmentMember': {
        const { key, value } = record
        const target = new Map(
          value?.topicPartitions.map(({ topicId, partitions }) => [topicId, ascending(partitions)]),
        )
        if (value === null) this.#targets.delete(key.memberId)
        else this.#targets.set(key.memberId, target)
        return
      }
      case 'ConsumerGroupTargetAssignmentMetadata':
        this.assignmentEpoch = record.value?.assignmentEpoch ?? FIRST_EPOCH
        this.assignmentTimestamp = record.value?.assignmentTimestamp ?? 0n
        return
      case 'ConsumerGroupRegularExpression': {
        const { key, value } = record
        if (value === null) this.#regexes.delete(key.regularExpression)
        else this.#regexes.set(key.regularExpression, value)
        return
      }
      case 'ConsumerGroupPartitionMetadata':
        // Of older brokers: `metadataHash` has taken its place.
        return
    }
  }

  #put(member: ConsumerMember): void {
    const before = this.#members.get(member.memberId)
    this.#members.set(member.memberId, member)
    if (before !== undefined) this.#release(before)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.memberId)
    this.#countRegex(before?.subscribedTopicRegex, -1)
    this.#countRegex(member.subscribedTopicRegex, 1)
    if (before !== undefined) this.#disown(before)
    this.#own(member)
  }

  #remove(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) return
    this.#members.delete(memberId)
    this.#release(member)
    this.#countRegex(member.subscribedTopicRegex, -1)
    this.#disown(member)
  }

  #release({ memberId, instanceId }: ConsumerMember): void {
    if (instanceId !== null && this.#staticMembers.get(instanceId) === memberId) this.#staticMembers.delete(instanceId)
  }

  #countRegex(pattern: string | undefined, change: number): void {
    if (pattern === undefined || pattern === '') return
    const count = this.regexSubscribers(pattern) + change
    if (count === 0) this.#regexSubscribers.delete(pattern)
    else this.#regexSubscribers.set(pattern, count)
  }

  #own({ memberId, assigned, pendingRevocation }: ConsumerMember): void {
    for (const epochs of [assigned, pendingRevocation]) {
      for (const [topic, partitions] of epochs) {
        const owners = this.#owners.get(topic) ?? new Map<number, string>()
        for (const partition of partitions.keys()) owners.set(partition, memberId)
        this.#owners.set(topic, owners)
      }
    }
  }

  /** Only what is still the member's: in a compacted log the next owner's record may come before it gave up. */
  #disown({ memberId, assigned, pendingRevocation }: ConsumerMember): void {
    for (const epochs of [assigned, pendingRevocation]) {
      for (const [topic, partitions] of epochs) {
        const owners = this.#owners.get(topic)
        for (const partition of partitions.keys()) if (owners?.get(partition) === memberId) owners.delete(partition)
        if (owners?.size === 0) this.#owners.delete(topic)
      }
    }
  }
}

/** The record of a new epoch. */
export function epochRecord(groupId: string, epoch: number, metadataHash: bigint): ConsumerGroupRecord {
  return { type: 'ConsumerGroupMetadata', key: { groupId }, value: { epoch, metadataHash } }
}

/** All that the log may hold of a group of these members and patterns, taken back in the order of a real broker. */
export function groupTombstones(
  groupId: string,
  memberIds: readonly string[],
  patterns: readonly string[],
): readonly ConsumerGroupRecord[] {
  const key = { groupId }
  const ofMembers = memberIds.map((memberId) => memberTombstones(groupId, memberId))
  return [
    ...ofMembers.map(([assignment]) => assignment!),
    ...ofMembers.map(([, target]) => target!),
    { type: 'ConsumerGroupTargetAssignmentMetadata', key, value: null },
    ...ofMembers.map(([, , subscription]) => subscription!),
    ...patterns.map((pattern) => regexTombstone(groupId, pattern)),
    { type: 'ConsumerGroupPartitionMetadata', key, value: null },
    { type: 'ConsumerGroupMetadata', key, value: null },
  ]
}

/** The record by which a pattern is forgotten. */
export function regexTombstone(groupId: string, regularExpression: string): ConsumerGroupRecord {
  return { type: 'ConsumerGroupRegularExpression', key: { groupId, regularExpression }, value: null }
}

function epochOf(epochs: PartitionEpochs, topic: Uuid, partition: number): number | undefined {
  return epochs.get(topic)?.get(partition)
}

function ascending(partitions: readonly number[]): readonly number[] {
  return [...partitions].sort((a, b) => a - b)
}
