/** What the decisions about a consumer group have in common: what they see, and what they come to. */
import type { ClusterImage } from '../cluster/cluster-image.ts'
import type { KafkaError } from '../errors.ts'
import type { ClassicReply, ClassicRules, DeadlineChange } from './classic-decision.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ConsumerGroup, TopicsSeen } from './consumer-group.ts'
import type { ConsumerMember, TopicPartitionList } from './consumer-member.ts'
import type { GroupRecord } from './group-record.ts'
import type { MigrationPolicy } from './migration-policy.ts'
import type { CompilePattern } from './topic-pattern.ts'

/** Kafka's `group.consumer.*`, those of the group itself (`consumer.*`) already applied. */
export interface ConsumerGroupSettings {
  readonly maxSize: number
  /** Names of assignors that exist, the default first. */
  readonly assignors: readonly string[]
  readonly heartbeatIntervalMs: number
  readonly sessionTimeoutMs: number
  /** The least time between two targets (KIP-1263). */
  readonly assignmentIntervalMs: number
  readonly regexRefreshIntervalMs: number
  /** `group.consumer.migration.policy`: whether groups may change their protocol while members are in them. */
  readonly migrationPolicy: MigrationPolicy
}

export interface ConsumerGroupContext {
  readonly image: ClusterImage
  readonly nowMs: bigint
  readonly settings: ConsumerGroupSettings
  readonly compilePattern: CompilePattern
  /** For groups that become classic ones. */
  readonly classicRules: ClassicRules
}

export interface ConsumerHeartbeat {
  readonly groupId: string
  /** Never empty: who joins without an id has been given one. */
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  /** -1 = as before. */
  readonly rebalanceTimeoutMs: number
  /** null = as before, also below. */
  readonly subscribedTopicNames: readonly string[] | null
  readonly subscribedTopicRegex: string | null
  readonly serverAssignor: string | null
  /** What the member holds; null = it does not say. */
  readonly owned: TopicPartitionList | null
  readonly clientId: string
  readonly clientHost: string
}

export interface HeartbeatAnswer {
  readonly error: null
  readonly memberId: string
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** null = as before. */
  readonly assignment: TopicPartitionList | null
}

/** A change of a member's deadlines; `afterMs` null = it has none of that kind any more. */
export type MemberDeadline =
  | { readonly kind: 'session'; readonly memberId: string; readonly afterMs: number | null }
  /** A member of the classic protocol is to join again by then. Set only when none is set. */
  | { readonly kind: 'join'; readonly memberId: string; readonly afterMs: number | null }
  /** A member of the classic protocol is to ask for its assignment by then. */
  | { readonly kind: 'sync'; readonly memberId: string; readonly afterMs: number | null }
  | {
      /** The member has until then to revoke what it was asked to at this epoch. */
      readonly kind: 'rebalance'
      readonly memberId: string
      readonly memberEpoch: number
      readonly afterMs: number | null
    }

export interface GroupRefusal {
  readonly error: KafkaError
  /** Kafka's words, which clients log. */
  readonly message: string
}

/** The group changes its protocol with the records; whatever deadlines it had are void. */
export type Conversion =
  | {
      readonly to: 'consumer'
      /** Members that waited for the rebalance of the classic group. */
      readonly replies: readonly ClassicReply[]
    }
  | {
      readonly to: 'classic'
      /** The group with what is not in its record. */
      readonly group: ClassicGroup
      readonly deadlines: readonly DeadlineChange[]
      /** Why it rebalances, or null. */
      readonly rebalance: string | null
    }

export interface ConsumerGroupDecision<Answer> {
  readonly records: readonly GroupRecord[]
  readonly answer: Answer | GroupRefusal
  readonly deadlines: readonly MemberDeadline[]
  /** To be noted in the group once the records count; null = nothing was looked at. */
  readonly topicsSeen: TopicsSeen | null
  readonly conversion?: Conversion
}

export function refuse(error: KafkaError, message: string): ConsumerGroupDecision<never> {
  return { records: [], answer: { error, message }, deadlines: [], topicsSeen: null }
}

/** A member that is gone has no deadlines. */
export function withoutDeadlines({ memberId, memberEpoch }: ConsumerMember): readonly MemberDeadline[] {
  return [
    { kind: 'session', memberId, afterMs: null },
    { kind: 'rebalance', memberId, memberEpoch, afterMs: null },
    { kind: 'join', memberId, afterMs: null },
    { kind: 'sync', memberId, afterMs: null },
  ]
}

/** Deadlines of a group that was just loaded: its members have a whole session to come back. */
export function deadlinesAfterLoad(group: ConsumerGroup, sessionTimeoutMs: number): readonly MemberDeadline[] {
  return [...group.members.values()].flatMap((member): readonly MemberDeadline[] => {
    const { memberId, memberEpoch, state, rebalanceTimeoutMs, classicMemberMetadata } = member
    const afterMs = classicMemberMetadata?.sessionTimeoutMs ?? sessionTimeoutMs
    const session = { kind: 'session', memberId, afterMs } as const
    // One of the classic protocol is told to join again by its heartbeats, and has its deadline from then on.
    if (state !== 'UNREVOKED_PARTITIONS' || classicMemberMetadata !== null) return [session]
    return [session, { kind: 'rebalance', memberId, memberEpoch, afterMs: rebalanceTimeoutMs }]
  })
}
