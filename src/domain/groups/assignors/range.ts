/**
 * The `range` assignor: each topic's partitions in consecutive ranges over its subscribers, who stand in the same order
 * for every topic, so that topics of equal size are co-partitioned. Static members come first, by instance id, and so
 * keep their place when they restart; the others by member id. It is not sticky.
 */
import type { Uuid } from '../../uuid.ts'
import { allTopics, type AssignedMember, type Assignment, type AssignmentInput } from './assignor.ts'

export function assignRange(input: AssignmentInput): ReadonlyMap<string, Assignment> {
  const members = [...input.members].sort(byPlace)
  const targets = new Map(members.map(({ memberId }) => [memberId, new Map<Uuid, readonly number[]>()]))
  for (const topic of allTopics(members)) {
    const subscribers = members.filter(({ topics }) => topics.has(topic))
    const count = input.partitionCount(topic)
    const least = Math.floor(count / subscribers.length)
    const withOneMore = count % subscribers.length
    let next = 0
    subscribers.forEach(({ memberId }, place) => {
      const size = least + (place < withOneMore ? 1 : 0)
      const first = next
      next += size
      if (size > 0)
        targets.get(memberId)?.set(
          topic,
          Array.from({ length: size }, (_, i) => first + i),
        )
    })
  }
  return targets
}

function byPlace(a: AssignedMember, b: AssignedMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId)
  if (a.instanceId !== null) return -1
  if (b.instanceId !== null) return 1
  return compare(a.memberId, b.memberId)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
