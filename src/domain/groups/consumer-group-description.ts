/** A consumer group as ConsumerGroupDescribe shows it: topics by name and id, those that are gone left out. */
import type { ClusterImage } from '../cluster/cluster-image.ts'
import type { Uuid } from '../uuid.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { preferredAssignor } from './consumer-target.ts'

export interface DescribedTopicPartitions {
  readonly topicId: Uuid
  readonly topicName: string
  readonly partitions: readonly number[]
}

export interface DescribedConsumerMember {
  readonly member: ConsumerMember
  /** What it holds, what it is still to revoke included. */
  readonly assignment: readonly DescribedTopicPartitions[]
  readonly targetAssignment: readonly DescribedTopicPartitions[]
}

export interface DescribedConsumerGroup {
  readonly groupState: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignorName: string
  readonly members: readonly DescribedConsumerMember[]
}

export function describeConsumerGroup(
  group: ConsumerGroup,
  image: ClusterImage,
  assignors: readonly string[],
): DescribedConsumerGroup {
  const members = [...group.members.values()]
  return {
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: preferredAssignor(members, assignors),
    members: members.map((member) => ({
      member,
      assignment: described(held(member), image),
      targetAssignment: described(group.target(member.memberId), image),
    })),
  }
}

function held({ assigned, pendingRevocation }: ConsumerMember): ReadonlyMap<Uuid, readonly number[]> {
  const all = new Map<Uuid, number[]>()
  for (const epochs of [assigned, pendingRevocation]) {
    for (const [topic, partitions] of epochs) all.set(topic, [...(all.get(topic) ?? []), ...partitions.keys()])
  }
  for (const partitions of all.values()) partitions.sort((a, b) => a - b)
  return all
}

function described(
  topics: ReadonlyMap<Uuid, readonly number[]>,
  image: ClusterImage,
): readonly DescribedTopicPartitions[] {
  return [...topics].flatMap(([topicId, partitions]) => {
    const topic = image.topicsById.get(topicId)
    return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions }]
  })
}
