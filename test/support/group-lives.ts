/**
 * Groups of both protocols driven over a broker's protocol, whoever wrote the broker, and everything that it tells of
 * them: for comparing what two programs make of the same `__consumer_offsets`.
 */
import { joinGroup } from '../../src/adapters/wire/apis/11-join-group.ts'
import { heartbeat } from '../../src/adapters/wire/apis/12-heartbeat.ts'
import { syncGroup } from '../../src/adapters/wire/apis/14-sync-group.ts'
import { describeGroups } from '../../src/adapters/wire/apis/15-describe-groups.ts'
import { listGroups } from '../../src/adapters/wire/apis/16-list-groups.ts'
import { deleteGroups } from '../../src/adapters/wire/apis/42-delete-groups.ts'
import { offsetDelete } from '../../src/adapters/wire/apis/47-offset-delete.ts'
import { consumerGroupHeartbeat } from '../../src/adapters/wire/apis/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../src/adapters/wire/apis/69-consumer-group-describe.ts'
import { offsetCommit } from '../../src/adapters/wire/apis/08-offset-commit.ts'
import { offsetFetch } from '../../src/adapters/wire/apis/09-offset-fetch.ts'
import { errorCode } from '../../src/domain/errors.ts'
import type { WireClient } from './wire-client.ts'

export interface Offset {
  readonly partition: number
  readonly offset: bigint
  readonly leaderEpoch?: number
  readonly metadata?: string
}

/** A membership that goes on wherever the group goes. */
export interface Membership {
  readonly groupId: string
  readonly memberId: string
  readonly generation: number
}

const noError = (what: string, code: number): void => {
  if (code !== 0) throw new Error(`${what}: error ${code}`)
}

/** All groups, with their members and offsets, in an order that does not depend on the broker. */
export async function seenGroups(client: WireClient): Promise<readonly unknown[]> {
  const listed = await listAll(client)
  const sorted = [...listed].sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  const seen: unknown[] = []
  for (const group of sorted) {
    const members =
      group.groupType === 'classic'
        ? await classicMembers(client, group.groupId)
        : await members848(client, group.groupId)
    seen.push({ ...group, ...members, offsets: await offsetsOf(client, group.groupId) })
  }
  return seen
}

/** A broker that has just started may still be reading some of its groups: then it is asked again. */
async function listAll(client: WireClient) {
  for (;;) {
    const { groups, errorCode: code } = await client.send(listGroups, 5, { statesFilter: [], typesFilter: [] })
    if (code === errorCode('COORDINATOR_LOAD_IN_PROGRESS')) continue
    noError('ListGroups', code)
    return groups
  }
}

async function classicMembers(client: WireClient, groupId: string): Promise<object> {
  const { groups } = await client.send(describeGroups, 5, { groups: [groupId] })
  const { errorCode: code, protocolData, members } = groups[0]!
  noError(`DescribeGroups of ${groupId}`, code)
  return { protocolData, members }
}

async function members848(client: WireClient, groupId: string): Promise<object> {
  const { groups } = await client.send(consumerGroupDescribe, 1, {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  })
  const { errorCode: code, groupEpoch, assignmentEpoch, assignorName, members } = groups[0]!
  noError(`ConsumerGroupDescribe of ${groupId}`, code)
  return { groupEpoch, assignmentEpoch, assignorName, members }
}

export async function offsetsOf(client: WireClient, groupId: string) {
  const fetch = async () => (await client.send(offsetFetch, 9, { groups: [{ groupId, topics: null }] })).groups
  let groups = await fetch()
  while (groups[0]!.errorCode === errorCode('COORDINATOR_LOAD_IN_PROGRESS')) groups = await fetch()
  noError(`OffsetFetch of ${groupId}`, groups[0]!.errorCode)
  return groups[0]!.topics
    .flatMap(({ name, partitions }) => partitions.map((partition) => ({ name, ...partition })))
    .sort((a, b) => (a.name === b.name ? a.partitionIndex - b.partitionIndex : a.name < b.name ? -1 : 1))
}

/** Commits to one topic: of a member, or without one. The error codes in the order of the offsets. */
export async function commitOffsets(
  client: WireClient,
  { groupId, memberId, generation }: Membership,
  topic: string,
  offsets: readonly Offset[],
): Promise<void> {
  const partitions = offsets.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: leaderEpoch,
    committedMetadata: metadata,
  }))
  const { topics } = await client.send(offsetCommit, 9, {
    groupId,
    generationIdOrMemberEpoch: generation,
    memberId,
    topics: [{ name: topic, partitions }],
  })
  for (const partition of topics[0]!.partitions) noError(`OffsetCommit of ${groupId}`, partition.errorCode)
}

export async function deleteOffset(client: WireClient, groupId: string, topic: string, partition: number) {
  const topics = [{ name: topic, partitions: [{ partitionIndex: partition }] }]
  const answer = await client.send(offsetDelete, 0, { groupId, topics })
  noError(`OffsetDelete of ${groupId}`, answer.errorCode || answer.topics[0]!.partitions[0]!.errorCode)
}

export async function deleteGroup(client: WireClient, groupId: string): Promise<void> {
  const { results } = await client.send(deleteGroups, 2, { groupsNames: [groupId] })
  noError(`DeleteGroups of ${groupId}`, results[0]!.errorCode)
}

/** What kafka clients call ConsumerProtocolSubscription and -Assignment v0, of one topic. */
function protocolOf(topic: string, partitions: readonly number[] | null): Buffer {
  const name = Buffer.from(topic)
  const head = Buffer.alloc(8)
  head.writeInt32BE(1, 2)
  head.writeInt16BE(name.length, 6)
  const numbers = Buffer.alloc(partitions === null ? 0 : 4 + 4 * partitions.length)
  if (partitions !== null) {
    numbers.writeInt32BE(partitions.length)
    partitions.forEach((partition, i) => numbers.writeInt32BE(partition, 4 + 4 * i))
  }
  const userData = Buffer.alloc(4, 0xff)
  return Buffer.concat([head, name, numbers, userData])
}

/** Joins a group of the classic protocol alone and takes all `partitions`; static when it has an instance id. */
export async function joinClassic(
  client: WireClient,
  groupId: string,
  topic: string,
  partitions: readonly number[],
  groupInstanceId: string | null,
): Promise<Membership> {
  const join = (memberId: string) =>
    client.send(joinGroup, 7, {
      groupId,
      sessionTimeoutMs: 600_000,
      rebalanceTimeoutMs: 60_000,
      memberId,
      groupInstanceId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: protocolOf(topic, null) }],
    })
  let joined = await join('')
  if (joined.errorCode === errorCode('MEMBER_ID_REQUIRED')) joined = await join(joined.memberId)
  noError(`JoinGroup of ${groupId}`, joined.errorCode)
  const { memberId, generationId } = joined
  const assignments = [{ memberId, assignment: protocolOf(topic, partitions) }]
  const synced = await client.send(syncGroup, 4, { groupId, generationId, memberId, groupInstanceId, assignments })
  noError(`SyncGroup of ${groupId}`, synced.errorCode)
  return { groupId, memberId, generation: generationId }
}

/** Joins a group of the consumer protocol and takes what it gets. */
export async function joinConsumer(
  client: WireClient,
  groupId: string,
  memberId: string,
  topic: string,
): Promise<Membership> {
  const send = async (memberEpoch: number, more: object) => {
    const answer = await client.send(consumerGroupHeartbeat, 1, { groupId, memberId, memberEpoch, ...more })
    noError(`ConsumerGroupHeartbeat of ${groupId}`, answer.errorCode)
    return answer
  }
  const subscription = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: [topic], topicPartitions: [] }
  let answer = await send(0, subscription)
  // What is assigned may come with a later answer: the assignor may have a pause between its runs.
  while (answer.assignment === null || answer.assignment.topicPartitions.length === 0) {
    answer = await send(answer.memberEpoch, {})
  }
  const { topicPartitions } = answer.assignment
  const { memberEpoch } = await send(answer.memberEpoch, { topicPartitions })
  return { groupId, memberId, generation: memberEpoch }
}

/** A heartbeat of a member that thinks that nothing has changed; the code of the error. */
export async function stillMember(client: WireClient, member: Membership, protocol: 'classic' | 'consumer') {
  const { groupId, memberId, generation } = member
  if (protocol === 'classic') {
    return (await client.send(heartbeat, 4, { groupId, memberId, generationId: generation })).errorCode
  }
  return (await client.send(consumerGroupHeartbeat, 1, { groupId, memberId, memberEpoch: generation })).errorCode
}

/** Each partition of the group's topic as often as the broker has it owned, in the generation of this moment. */
export async function ownersOf(
  client: WireClient,
  groupId: string,
  protocol: 'classic' | 'consumer',
): Promise<readonly number[]> {
  if (protocol === 'classic') {
    const { groups } = await client.send(describeGroups, 5, { groups: [groupId] })
    const { groupState, members } = groups[0]!
    return groupState === 'Stable' ? members.flatMap(({ memberAssignment }) => partitionsIn(memberAssignment)) : []
  }
  const { groups } = await client.send(consumerGroupDescribe, 1, {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  })
  return groups[0]!.members.flatMap(({ assignment }) =>
    assignment.topicPartitions.flatMap(({ partitions }) => [...partitions]),
  )
}

/** Of an assignment to one topic at most, as `protocolOf` writes it. */
function partitionsIn(assignment: Uint8Array): number[] {
  const view = Buffer.from(assignment)
  if (view.length < 6 || view.readInt32BE(2) === 0) return []
  const at = 8 + view.readInt16BE(6)
  return Array.from({ length: view.readInt32BE(at) }, (_, i) => view.readInt32BE(at + 4 + 4 * i))
}
