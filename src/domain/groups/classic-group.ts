/**
 * A group of the classic protocol (JoinGroup, SyncGroup, Heartbeat, LeaveGroup) as a value: every transition makes a
 * new one. A group that has only offsets, whose consumers never joined, is one too, without a protocol type.
 *
 * Deciding transitions is classic-join.ts, classic-sync.ts and classic-membership.ts. A group that is gone is absent:
 * Kafka's state Dead has no counterpart here.
 */
import type { KafkaError } from '../errors.ts'
import { CONSUMER_PROTOCOL_TYPE, subscribedTopics } from './consumer-protocol.ts'
import type { Group, OffsetCommitter } from './group.ts'
import type { GroupMetadataValue, GroupRecord } from './group-record.ts'

export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/** Stands for a request that waits to be answered. */
export type Ticket = number

/** An assignor, or whatever else the members agree on, with what the member says to it. */
export interface ClassicProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

export interface ClassicMember {
  readonly memberId: string
  /** Set for static members (KIP-345). */
  readonly groupInstanceId: string | null
  readonly clientId: string
  /** As Kafka prints an address: `/127.0.0.1`. */
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** The most preferred one first. */
  readonly protocols: readonly ClassicProtocol[]
  readonly assignment: Uint8Array
  /** Has not got its first JoinGroup answer yet: it cannot send heartbeats. */
  readonly isNew: boolean
  /** The JoinGroup and the SyncGroup that wait. */
  readonly joining: Ticket | null
  readonly syncing: Ticket | null
}

/** All that a group is; `ClassicGroup` adds the questions. */
export interface ClassicGroupFields {
  readonly groupId: string
  readonly state: ClassicState
  readonly previousState: ClassicState
  /** Since when; null in records of old brokers. */
  readonly stateTimestampMs: bigint | null
  readonly generation: number
  /** '' = nobody has ever joined. */
  readonly protocolType: string
  readonly protocol: string | null
  readonly leader: string | null
  readonly members: ReadonlyMap<string, ClassicMember>
  /** Member ids by group instance id. */
  readonly staticMembers: ReadonlyMap<string, string>
  /** Ids given out (KIP-394) to members that have not come back with them. */
  readonly pendingJoins: ReadonlySet<string>
  /** Members of this generation that have not asked for their assignment yet. */
  readonly pendingSyncs: ReadonlySet<string>
  /** A member came while the first rebalance was being delayed: it may be delayed further. */
  readonly newMemberAdded: boolean
  /** What the members said to the protocol when the generation began; null = none has begun. */
  readonly subscriptions: readonly Uint8Array[] | null
}

export const NO_BYTES = new Uint8Array(0)

export class ClassicGroup implements Group, ClassicGroupFields {
  readonly type = 'classic'
  readonly groupId: string
  readonly state: ClassicState
  readonly previousState: ClassicState
  readonly stateTimestampMs: bigint | null
  readonly generation: number
  readonly protocolType: string
  readonly protocol: string | null
  readonly leader: string | null
  readonly members: ReadonlyMap<string, ClassicMember>
  readonly staticMembers: ReadonlyMap<string, string>
  readonly pendingJoins: ReadonlySet<string>
  readonly pendingSyncs: ReadonlySet<string>
  readonly newMemberAdded: boolean
  readonly subscriptions: readonly Uint8Array[] | null

  constructor(fields: ClassicGroupFields) {
    this.groupId = fields.groupId
    this.state = fields.state
    this.previousState = fields.previousState
    this.stateTimestampMs = fields.stateTimestampMs
    this.generation = fields.generation
    this.protocolType = fields.protocolType
    this.protocol = fields.protocol
    this.leader = fields.leader
    this.members = fields.members
    this.staticMembers = fields.staticMembers
    this.pendingJoins = fields.pendingJoins
    this.pendingSyncs = fields.pendingSyncs
    this.newMemberAdded = fields.newMemberAdded
    this.subscriptions = fields.subscriptions
  }

  /** A group that nobody has joined yet. */
  static empty(groupId: string, nowMs: bigint | null): ClassicGroup {
    return ClassicGroup.fromRecord(groupId, {
      protocolType: '',
      generation: 0,
      protocol: null,
      leader: null,
      currentStateTimestamp: nowMs ?? -1n,
      members: [],
    })
  }

  /** As the log has it: between two rebalances, with nobody waiting. */
  static fromRecord(groupId: string, value: GroupMetadataValue): ClassicGroup {
    const members = value.members.map((member): ClassicMember => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
      sessionTimeoutMs: member.sessionTimeout,
      // The log has no more than the protocol that was chosen.
      protocols: [{ name: value.protocol ?? '', metadata: member.subscription }],
      assignment: member.assignment,
      isNew: false,
      joining: null,
      syncing: null,
    }))
    return new ClassicGroup({
      groupId,
      state: members.length === 0 ? 'Empty' : 'Stable',
      previousState: 'Empty',
      stateTimestampMs: value.currentStateTimestamp === -1n ? null : value.currentStateTimestamp,
      generation: value.generation,
      protocolType: value.protocolType,
      protocol: value.protocol,
      leader: value.leader ?? members[0]?.memberId ?? null,
      members: new Map(members.map((member) => [member.memberId, member])),
      staticMembers: new Map(
        members.flatMap(({ groupInstanceId, memberId }) =>
          groupInstanceId === null ? [] : [[groupInstanceId, memberId] as const],
        ),
      ),
      pendingJoins: new Set(),
      pendingSyncs: new Set(),
      newMemberAdded: false,
      subscriptions: value.protocolType === '' ? null : subscriptionsOf(members, value.protocol),
    })
  }

  /** The record that says all of the group that outlives a restart, with these assignments by member id. */
  toRecord(assignments: (member: ClassicMember) => Uint8Array): GroupRecord {
    const { groupId, protocolType, generation, protocol, leader, stateTimestampMs, members } = this
    return {
      type: 'GroupMetadata',
      key: { group: groupId },
      value: {
        protocolType,
        generation,
        protocol,
        leader,
        currentStateTimestamp: stateTimestampMs ?? -1n,
        members: [...members.values()].map((member) => ({
          memberId: member.memberId,
          groupInstanceId: member.groupInstanceId,
          clientId: member.clientId,
          clientHost: member.clientHost,
          rebalanceTimeout: member.rebalanceTimeoutMs,
          sessionTimeout: member.sessionTimeoutMs,
          subscription: metadataFor(member, protocol ?? ''),
          assignment: assignments(member),
        })),
      },
    }
  }

  get stateName(): string {
    return this.state
  }

  get isEmpty(): boolean {
    return this.state === 'Empty'
  }

  get usesConsumerProtocol(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE
  }

  /** The longest that a member asked for. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const { rebalanceTimeoutMs } of this.members.values()) longest = Math.max(longest, rebalanceTimeoutMs)
    return longest
  }

  /** Why this is not a member, or null. */
  refuseMember(memberId: string, groupInstanceId: string | null): KafkaError | null {
    if (groupInstanceId !== null) {
      const owner = this.staticMembers.get(groupInstanceId)
      if (owner === undefined) return 'UNKNOWN_MEMBER_ID'
      if (owner !== memberId) return 'FENCED_INSTANCE_ID'
    }
    return this.members.has(memberId) ? null : 'UNKNOWN_MEMBER_ID'
  }

  refuseCommit({ memberId, groupInstanceId, generationOrEpoch, transactional }: OffsetCommitter): KafkaError | null {
    if (generationOrEpoch < 0 && this.isEmpty) return null
    if (generationOrEpoch >= 0 || memberId !== '' || groupInstanceId !== null) {
      const refused = this.refuseMember(memberId, groupInstanceId)
      if (refused !== null) return refused
      if (generationOrEpoch !== this.generation) return 'ILLEGAL_GENERATION'
    } else if (!transactional && !this.isEmpty) {
      return 'UNKNOWN_MEMBER_ID'
    }
    return !transactional && this.state === 'CompletingRebalance' ? 'REBALANCE_IN_PROGRESS' : null
  }

  refuseFetch(): KafkaError | null {
    return null
  }

  refuseDelete(): KafkaError | null {
    return this.isEmpty ? null : 'NON_EMPTY_GROUP'
  }

  refuseOffsetDelete(): KafkaError | null {
    return this.isEmpty || this.usesConsumerProtocol ? null : 'NON_EMPTY_GROUP'
  }

  /**
   * Of this generation's members, whoever has come or said something else since; null = not known, because the first
   * generation has not begun or a member's subscription cannot be read.
   */
  #subscribedTopics(): ReadonlySet<string> | null {
    if (this.subscriptions === null) return null
    const topics = new Set<string>()
    for (const subscription of this.subscriptions) {
      const own = subscribedTopics(subscription)
      if (own === null) return null
      for (const topic of own) topics.add(topic)
    }
    return topics
  }

  isSubscribedTo(topic: string): boolean {
    return this.usesConsumerProtocol && (this.#subscribedTopics()?.has(topic) ?? true)
  }

  retentionStart(commitTimestampMs: bigint): bigint | null {
    // Consumers outside the group protocol: each offset for itself.
    if (this.protocolType === '') return commitTimestampMs
    if (this.isEmpty) return this.stateTimestampMs ?? commitTimestampMs
    const stable = this.state === 'Stable' && this.usesConsumerProtocol && this.#subscribedTopics() !== null
    return stable ? commitTimestampMs : null
  }

  tombstones(): readonly GroupRecord[] {
    return [{ type: 'GroupMetadata', key: { group: this.groupId }, value: null }]
  }
}

/** What a member says to a protocol; nothing if it does not know it. */
export function metadataFor(member: ClassicMember, protocol: string): Uint8Array {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES
}

/** What members say to the protocol that they have agreed on; null when there is none. */
export function subscriptionsOf(
  members: readonly ClassicMember[],
  protocol: string | null,
): readonly Uint8Array[] | null {
  if (protocol === null) return members.length === 0 ? [] : null
  return members.map((member) => metadataFor(member, protocol))
}

export function sameProtocols(a: readonly ClassicProtocol[], b: readonly ClassicProtocol[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, metadata }, i) => name === b[i]!.name && sameBytes(metadata, b[i]!.metadata))
  )
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
