/**
 * The `uniform` assignor: balance first, then stickiness.
 *
 * With equal subscriptions no two members differ by more than one partition, and a member loses only what exceeds its
 * share. With different ones no partition lies with a member that has two more than another subscriber of its topic;
 * moves that this needs take what came last. What no longer exists or is no longer subscribed to falls away.
 */
import type { Uuid } from '../../uuid.ts'
import { allTopics, type AssignedMember, type Assignment, type AssignmentInput } from './assignor.ts'

export function assignUniform(input: AssignmentInput): ReadonlyMap<string, Assignment> {
  const loads = input.members.map((member) => new Load(member))
  const topics = allTopics(input.members)
  const unassigned = new Map<Uuid, number[]>()
  for (const topic of topics) unassigned.set(topic, keepCurrent(loads, topic, input.partitionCount(topic)))
  if (hasEqualSubscriptions(input.members)) {
    shareEqually(loads, topics, unassigned)
  } else {
    shareAmongSubscribers(loads, topics, unassigned)
  }
  return new Map(loads.map((load) => [load.member.memberId, load.assignment()]))
}

/** A member and what it gets. */
class Load {
  readonly member: AssignedMember
  /** Partitions by topic, what was held before first. */
  readonly #held = new Map<Uuid, number[]>()
  size = 0

  constructor(member: AssignedMember) {
    this.member = member
  }

  holds(topic: Uuid): boolean {
    return this.#held.has(topic)
  }

  add(topic: Uuid, partition: number): void {
    const held = this.#held.get(topic)
    if (held === undefined) this.#held.set(topic, [partition])
    else held.push(partition)
    this.size++
  }

  /** Gives up the partition of a topic that came last. */
  release(topic: Uuid): number {
    const held = this.#held.get(topic)!
    const partition = held.pop()!
    if (held.length === 0) this.#held.delete(topic)
    this.size--
    return partition
  }

  topics(): readonly Uuid[] {
    return [...this.#held.keys()]
  }

  assignment(): Assignment {
    return new Map([...this.#held].map(([topic, partitions]) => [topic, partitions.sort((a, b) => a - b)]))
  }
}

/** Lets members keep what they hold and may hold; returns what is left over. */
function keepCurrent(loads: readonly Load[], topic: Uuid, count: number): number[] {
  const taken = new Set<number>()
  for (const load of loads) {
    if (!load.member.topics.has(topic)) continue
    for (const partition of load.member.current.get(topic) ?? []) {
      if (partition >= count || taken.has(partition)) continue
      taken.add(partition)
      load.add(topic, partition)
    }
  }
  const left: number[] = []
  for (let partition = 0; partition < count; partition++) if (!taken.has(partition)) left.push(partition)
  return left
}

function hasEqualSubscriptions(members: readonly AssignedMember[]): boolean {
  const first = members[0]?.topics
  if (first === undefined) return true
  return members.every(({ topics }) => {
    if (topics === first) return true
    if (topics.size !== first.size) return false
    for (const topic of topics) if (!first.has(topic)) return false
    return true
  })
}

function shareEqually(loads: readonly Load[], topics: readonly Uuid[], unassigned: Map<Uuid, number[]>): void {
  let total = 0
  for (const load of loads) total += load.size
  for (const partitions of unassigned.values()) total += partitions.length
  const least = Math.floor(total / loads.length)
  let withOneMore = total % loads.length
  // Those who hold more than the least already are the ones to keep one more: nobody loses without need.
  const quotas = new Map<Load, number>()
  for (const load of loads) {
    const onTop = withOneMore > 0 && load.size > least ? 1 : 0
    withOneMore -= onTop
    quotas.set(load, least + onTop)
  }
  for (const load of loads) {
    if (withOneMore > 0 && quotas.get(load) === least) {
      withOneMore--
      quotas.set(load, least + 1)
    }
  }
  for (const [load, quota] of quotas) {
    for (const topic of load.topics().toReversed()) {
      while (load.size > quota && load.holds(topic)) unassigned.get(topic)?.push(load.release(topic))
    }
  }
  const waiting = topics.flatMap((topic) =>
    (unassigned.get(topic) ?? []).sort((a, b) => a - b).map((partition) => ({ topic, partition })),
  )
  let next = 0
  for (const [load, quota] of quotas) {
    while (load.size < quota) {
      const { topic, partition } = waiting[next++]!
      load.add(topic, partition)
    }
  }
}

function shareAmongSubscribers(loads: readonly Load[], topics: readonly Uuid[], unassigned: Map<Uuid, number[]>): void {
  const subscribers = new Map(topics.map((topic) => [topic, loads.filter(({ member }) => member.topics.has(topic))]))
  // Topics with few subscribers have the least choice.
  const hardestFirst = [...topics].sort((a, b) => subscribers.get(a)!.length - subscribers.get(b)!.length)
  for (const topic of hardestFirst) {
    for (const partition of unassigned.get(topic) ?? []) lightest(subscribers.get(topic)!).add(topic, partition)
  }
  // Each move makes the sum of the squared loads smaller, so this ends.
  let moved = true
  while (moved) {
    moved = false
    for (const topic of hardestFirst.toReversed()) {
      while (moveOne(topic, subscribers.get(topic)!)) moved = true
    }
  }
}

/** Moves a partition from the heaviest holder of the topic to its lightest subscriber if that makes them more equal. */
function moveOne(topic: Uuid, subscribers: readonly Load[]): boolean {
  let heaviest: Load | null = null
  for (const load of subscribers) {
    if (load.holds(topic) && (heaviest === null || load.size > heaviest.size)) heaviest = load
  }
  const to = lightest(subscribers)
  if (heaviest === null || heaviest.size < to.size + 2) return false
  to.add(topic, heaviest.release(topic))
  return true
}

function lightest(loads: readonly Load[]): Load {
  let found = loads[0]!
  for (const load of loads) if (load.size < found.size) found = load
  return found
}
