/**
 * One step of a member towards its target (KIP-848): first it gives up what it must, then its epoch moves, then it gets
 * what is free. A partition is never with two members, because it is handed out only when nobody holds it, not even as
 * something to be revoked.
 *
 * Observed on 4.3.1: what a member no longer subscribes to is taken from it at once, before a new target is there, and
 * nothing of such a topic is given to it.
 */
import type { Uuid } from '../uuid.ts'
import type { Assignment } from './assignors/assignor.ts'
import {
  samePartitions,
  type ConsumerMember,
  type PartitionEpochs,
  type TopicPartitionList,
} from './consumer-member.ts'

export interface ReconciliationInput {
  readonly member: ConsumerMember
  readonly targetEpoch: number
  readonly target: Assignment
  /** What the member subscribes to now. */
  readonly subscribedTopics: ReadonlySet<Uuid>
  readonly subscriptionChanged: boolean
  /** What the member says it holds; null = it did not say. */
  readonly owned: TopicPartitionList | null
  /** Who holds a partition, as assigned or as still to be revoked. */
  ownerOf(topic: Uuid, partition: number): string | undefined
}

/** 'fenced' = the member's state is not known here; it must rejoin with empty hands. */
export function reconcile(input: ReconciliationInput): ConsumerMember | 'fenced' {
  const { member, targetEpoch, subscriptionChanged, owned } = input
  switch (member.state) {
    case 'STABLE':
      if (member.memberEpoch !== targetEpoch) return nextAssignment(input, member.memberEpoch)
      return subscriptionChanged ? withoutUnsubscribed(input) : member
    case 'UNREVOKED_PARTITIONS':
      if (holdsAnyOf(owned, member.pendingRevocation)) return subscriptionChanged ? withoutUnsubscribed(input) : member
      // With more to revoke by now it stays at its epoch.
      return nextAssignment(input, member.memberEpoch)
    case 'UNRELEASED_PARTITIONS':
      return nextAssignment(input, member.memberEpoch)
    case 'UNKNOWN':
      return owned?.length === 0 ? nextAssignment(input, targetEpoch) : 'fenced'
  }
}

function nextAssignment(input: ReconciliationInput, memberEpoch: number): ConsumerMember {
  const { member, target, targetEpoch, subscribedTopics, owned } = input
  const kept = new Map<Uuid, Map<number, number>>()
  const revoked = new Map<Uuid, ReadonlyMap<number, number>>()
  for (const [topic, partitions] of member.assigned) {
    const wanted = new Set(subscribedTopics.has(topic) ? target.get(topic) : [])
    const [stay, go] = split(partitions, (partition) => wanted.has(partition))
    if (stay.size > 0) kept.set(topic, stay)
    if (go.size > 0) revoked.set(topic, go)
  }
  if (revoked.size > 0 && holdsAnyOf(owned, revoked)) {
    return step(member, 'UNREVOKED_PARTITIONS', memberEpoch, kept, revoked)
  }
  let unreleased = false
  for (const [topic, partitions] of target) {
    if (!subscribedTopics.has(topic)) continue
    for (const partition of partitions) {
      if (kept.get(topic)?.has(partition) ?? false) continue
      const owner = input.ownerOf(topic, partition)
      if (owner !== undefined && owner !== member.memberId) {
        unreleased = true
        continue
      }
      const assigned = kept.get(topic) ?? new Map<number, number>()
      // Also what it was to revoke, and never gave up, is assigned anew.
      kept.set(topic, assigned.set(partition, targetEpoch))
    }
  }
  return step(member, unreleased ? 'UNRELEASED_PARTITIONS' : 'STABLE', targetEpoch, kept, new Map())
}

function withoutUnsubscribed({ member, subscribedTopics, owned }: ReconciliationInput): ConsumerMember {
  const kept = new Map([...member.assigned].filter(([topic]) => subscribedTopics.has(topic)))
  if (kept.size === member.assigned.size) return member
  const revoked = new Map(member.pendingRevocation)
  for (const [topic, partitions] of member.assigned) {
    if (!subscribedTopics.has(topic)) revoked.set(topic, new Map([...(revoked.get(topic) ?? []), ...partitions]))
  }
  return holdsAnyOf(owned, revoked)
    ? step(member, 'UNREVOKED_PARTITIONS', member.memberEpoch, kept, revoked)
    : step(member, member.state, member.memberEpoch, kept, member.pendingRevocation)
}

function step(
  member: ConsumerMember,
  state: ConsumerMember['state'],
  memberEpoch: number,
  assigned: PartitionEpochs,
  pendingRevocation: PartitionEpochs,
): ConsumerMember {
  return {
    ...member,
    state,
    previousMemberEpoch: member.memberEpoch,
    memberEpoch,
    // The same object where nothing changed, so that comparing costs nothing.
    assigned: samePartitions(assigned, member.assigned) ? member.assigned : assigned,
    pendingRevocation,
  }
}

/** Whether the member holds any of these, as far as it says; one that says nothing may hold all. */
function holdsAnyOf(owned: TopicPartitionList | null, partitions: PartitionEpochs): boolean {
  if (owned === null) return true
  return owned.some(({ topicId, partitions: held }) => {
    const these = partitions.get(topicId)
    return these !== undefined && held.some((partition) => these.has(partition))
  })
}

function split(
  partitions: ReadonlyMap<number, number>,
  first: (partition: number) => boolean,
): [Map<number, number>, Map<number, number>] {
  const yes = new Map<number, number>()
  const no = new Map<number, number>()
  for (const [partition, epoch] of partitions) (first(partition) ? yes : no).set(partition, epoch)
  return [yes, no]
}
