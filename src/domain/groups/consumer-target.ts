/** The target of a consumer group: what each member is to hold, computed by the assignor that most members prefer. */
import type { ClusterImage } from '../cluster/cluster-image.ts'
import type { Uuid } from '../uuid.ts'
import type { Assignment, Assignor } from './assignors/assignor.ts'
import { assignRange } from './assignors/range.ts'
import { assignUniform } from './assignors/uniform.ts'
import { NO_TARGET } from './consumer-group.ts'
import type { ConsumerMember, ConsumerGroupRecord } from './consumer-member.ts'
import type { TopicResolver } from './consumer-topics.ts'

const assignors: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', assignUniform],
  ['range', assignRange],
])

/** `group.consumer.assignors` names assignors, or classes of Kafka's that are ours under another name. */
export function knownAssignors(configured: readonly string[]): readonly string[] {
  const names = configured.map((name) => assignorOfClass.get(name) ?? name)
  return [...new Set(names)].filter((name) => assignors.has(name))
}

const assignorOfClass: ReadonlyMap<string, string> = new Map([
  ['org.apache.kafka.coordinator.group.assignor.UniformAssignor', 'uniform'],
  ['org.apache.kafka.coordinator.group.assignor.RangeAssignor', 'range'],
])

/** What most members ask for; without a wish, the first of the configured ones. */
export function preferredAssignor(members: Iterable<ConsumerMember>, configured: readonly string[]): string {
  const votes = new Map<string, number>()
  for (const { serverAssignor } of members) {
    if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  let preferred = configured[0] ?? 'uniform'
  let most = 0
  for (const [name, count] of votes) {
    if (count > most) {
      preferred = name
      most = count
    }
  }
  return preferred
}

export interface TargetInput {
  readonly groupId: string
  readonly epoch: number
  readonly nowMs: bigint
  readonly members: readonly ConsumerMember[]
  readonly assignors: readonly string[]
  readonly image: ClusterImage
  readonly topics: TopicResolver
  /** A member's target so far. */
  target(memberId: string): Assignment
}

/** The new target, and the records of what is different in it. */
export function computeTarget(input: TargetInput): {
  readonly targets: ReadonlyMap<string, Assignment>
  readonly records: readonly ConsumerGroupRecord[]
} {
  const { groupId, epoch, nowMs, members, image, topics } = input
  const assign = assignors.get(preferredAssignor(members, input.assignors)) ?? assignUniform
  const targets = assign({
    members: members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      topics: topics.topicsOf(member),
      current: input.target(member.memberId),
    })),
    partitionCount: (topic: Uuid) => image.topicsById.get(topic)?.partitions.length ?? 0,
  })
  const records: ConsumerGroupRecord[] = []
  for (const [memberId, target] of targets) {
    const before = input.target(memberId)
    // Nothing is a target too: a member's first one is always written.
    if (before === NO_TARGET || !sameTarget(target, before)) records.push(targetRecord(groupId, memberId, target))
  }
  records.push(targetMetadataRecord(groupId, epoch, nowMs))
  return { targets, records }
}

/** The record that the target is of this epoch. */
export function targetMetadataRecord(
  groupId: string,
  assignmentEpoch: number,
  assignmentTimestamp: bigint,
): ConsumerGroupRecord {
  return {
    type: 'ConsumerGroupTargetAssignmentMetadata',
    key: { groupId },
    value: { assignmentEpoch, assignmentTimestamp },
  }
}

export function targetRecord(groupId: string, memberId: string, target: Assignment): ConsumerGroupRecord {
  return {
    type: 'ConsumerGroupTargetAssignmentMember',
    key: { groupId, memberId },
    value: { topicPartitions: [...target].map(([topicId, partitions]) => ({ topicId, partitions })) },
  }
}

function sameTarget(a: Assignment, b: Assignment): boolean {
  if (a.size !== b.size) return false
  for (const [topic, partitions] of a) {
    const other = b.get(topic)
    if (other?.length !== partitions.length || !partitions.every((partition, i) => partition === other[i])) return false
  }
  return true
}
