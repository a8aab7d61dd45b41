/**
 * What a server-side assignor is: a pure function from members, their topics and what they hold to a target for each.
 *
 * The order of `members` may decide between equals, so callers keep it stable. Racks play no part: the assignors of
 * Kafka 4.x do not look at them.
 */
import type { Uuid } from '../../uuid.ts'

/** Partitions by topic, each list ascending and not empty. */
export type Assignment = ReadonlyMap<Uuid, readonly number[]>

export interface AssignedMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** Existing topics only. */
  readonly topics: ReadonlySet<Uuid>
  /** The target so far: what an assignor that is sticky tries to keep. */
  readonly current: Assignment
}

export interface AssignmentInput {
  readonly members: readonly AssignedMember[]
  /** Of every topic that a member subscribes to. */
  partitionCount(topic: Uuid): number
}

/** A target for every member; one with nothing has an empty map. */
export type Assignor = (input: AssignmentInput) => ReadonlyMap<string, Assignment>

/** All topics of all members, in the order of their ids, so that the same input has the same outcome. */
export function allTopics(members: readonly AssignedMember[]): readonly Uuid[] {
  const topics = new Set<Uuid>()
  for (const member of members) for (const topic of member.topics) topics.add(topic)
  return [...topics].sort()
}
