/** A consumer group that is told what happens: decisions are evolved at once, deadlines are kept to be looked at. */
import type { ClusterImage } from '../../src/domain/cluster/cluster-image.ts'
import {
  type ConsumerGroupContext,
  type ConsumerGroupDecision,
  type ConsumerGroupSettings,
  type ConsumerHeartbeat,
  type GroupRefusal,
  type HeartbeatAnswer,
} from '../../src/domain/groups/consumer-decision.ts'
import { ConsumerGroup } from '../../src/domain/groups/consumer-group.ts'
import { decideHeartbeat } from '../../src/domain/groups/consumer-heartbeat.ts'
import type { ConsumerGroupRecord, TopicPartitionList } from '../../src/domain/groups/consumer-member.ts'
import { decideRegexes } from '../../src/domain/groups/consumer-regex.ts'
import { decideLeave, decideRebalanceExpired, decideSessionExpired } from '../../src/domain/groups/consumer-removal.ts'
import type { CompilePattern } from '../../src/domain/groups/topic-pattern.ts'
import { rules } from './driven-classic-group.ts'
import { idOf } from './group-images.ts'

export const GROUP = 'g'

export const consumerSettings: ConsumerGroupSettings = {
  maxSize: 1000,
  assignors: ['uniform', 'range'],
  heartbeatIntervalMs: 5000,
  sessionTimeoutMs: 45_000,
  assignmentIntervalMs: 0,
  regexRefreshIntervalMs: 600_000,
  migrationPolicy: { upgrade: true, downgrade: true },
}

/** JavaScript's own expressions are enough where RE2's errors do not matter. */
export const compile: CompilePattern = (pattern) => {
  try {
    const expression = new RegExp(`^(?:${pattern})$`)
    return { matches: (name) => expression.test(name) }
  } catch {
    return { error: 'missing closing ]' }
  }
}

/** What a member says, short: assignments and what is held are `{ topic: partitions }`. */
export interface Said extends Partial<Omit<ConsumerHeartbeat, 'memberId' | 'owned'>> {
  readonly owned?: Readonly<Record<string, readonly number[]>> | null
}

export type Told =
  | { readonly epoch: number; readonly assignment: Readonly<Record<string, readonly number[]>> | null }
  | { readonly error: string; readonly message: string }

export class DrivenConsumerGroup {
  readonly group = new ConsumerGroup(GROUP)
  /** Everything that was written. */
  readonly log: ConsumerGroupRecord[] = []
  /** What the last decision wrote. */
  written: readonly ConsumerGroupRecord[] = []
  /** Members with a rebalance deadline, and its epoch. */
  readonly revoking = new Map<string, number>()
  readonly sessions = new Map<string, number>()
  image: ClusterImage
  nowMs = 1_000_000n
  settings: ConsumerGroupSettings = consumerSettings

  constructor(image: ClusterImage) {
    this.image = image
  }

  join(memberId: string, said: Said | readonly string[]): Told {
    const more: Said = Array.isArray(said) ? { subscribedTopicNames: said as readonly string[] } : (said as Said)
    return this.heartbeat(memberId, { memberEpoch: 0, rebalanceTimeoutMs: 300_000, owned: {}, ...more })
  }

  heartbeat(memberId: string, said: Said): Told {
    const heartbeat = heartbeatOf(memberId, said)
    const told = this.#told(this.#apply(decideHeartbeat(this.group, heartbeat, this.context())))
    this.refreshRegexes()
    return told
  }

  leave(memberId: string, said: Said = { memberEpoch: -1 }): Told {
    return this.#told(this.#apply(decideLeave(this.group, heartbeatOf(memberId, said), this.context())))
  }

  expireSession(memberId: string): void {
    this.#apply(decideSessionExpired(this.group, memberId, this.context()))
  }

  expireRebalance(memberId: string): void {
    const epoch = this.revoking.get(memberId)
    if (epoch !== undefined) this.#apply(decideRebalanceExpired(this.group, memberId, epoch, this.context()))
  }

  refreshRegexes(): void {
    const { records, refreshed } = decideRegexes(this.group, this.context())
    this.#evolve(records)
    if (refreshed) this.group.regexesSeen = { topics: this.image.topicsByName, atMs: this.nowMs }
  }

  context(): ConsumerGroupContext {
    return {
      image: this.image,
      nowMs: this.nowMs,
      settings: this.settings,
      compilePattern: compile,
      classicRules: rules,
    }
  }

  #apply<Answer>(decision: ConsumerGroupDecision<Answer>): Answer | GroupRefusal {
    // Nobody speaks the classic protocol here, so no record is of a classic group.
    this.written = decision.records as readonly ConsumerGroupRecord[]
    this.#evolve(this.written)
    this.group.topicsSeen = decision.topicsSeen ?? this.group.topicsSeen
    for (const deadline of decision.deadlines) {
      const { memberId, afterMs } = deadline
      if (deadline.kind === 'session') set(this.sessions, memberId, afterMs)
      else if (deadline.kind === 'rebalance') {
        set(this.revoking, memberId, afterMs === null ? null : deadline.memberEpoch)
      }
    }
    return decision.answer
  }

  #evolve(records: readonly ConsumerGroupRecord[]): void {
    this.log.push(...records)
    for (const record of records) this.group.evolve(record)
  }

  #told(answer: HeartbeatAnswer | GroupRefusal): Told {
    if (answer.error !== null) return { error: answer.error, message: answer.message }
    return { epoch: answer.memberEpoch, assignment: answer.assignment === null ? null : shown(answer.assignment) }
  }
}

function heartbeatOf(memberId: string, said: Said): ConsumerHeartbeat {
  const { owned = null, ...rest } = said
  return {
    groupId: GROUP,
    memberId,
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: null,
    subscribedTopicRegex: null,
    serverAssignor: null,
    clientId: 'client',
    clientHost: '/127.0.0.1',
    ...rest,
    owned:
      owned === null ? null : Object.entries(owned).map(([name, partitions]) => ({ topicId: idOf(name), partitions })),
  }
}

/** Topic ids as the names that `idOf` made them of. */
function shown(list: TopicPartitionList): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(list.map(({ topicId, partitions }) => [topicId.replace(/x*A$/, ''), partitions]))
}

function set(map: Map<string, number>, key: string, value: number | null): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}
