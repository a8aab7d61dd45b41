/** Conversations in which groups change their protocol, each with a group of its own. */
import { consumerGroupDescribe } from '../../src/adapters/wire/apis/69-consumer-group-describe.ts'
import { offsetCommit } from '../../src/adapters/wire/apis/08-offset-commit.ts'
import { offsetFetch } from '../../src/adapters/wire/apis/09-offset-fetch.ts'
import { errorCode } from '../../src/domain/errors.ts'
import { assignmentOf, subscriptionBytes, TOPIC, type GroupConversation } from './group-conversation.ts'

export type Scene = (group: GroupConversation) => Promise<void>

/** A stable classic group of one dynamic member that has all partitions; its id. */
async function classicGroup(group: GroupConversation, assigned: Buffer = assignmentOf([0, 1, 2, 3])): Promise<string> {
  const { memberId, generationId } = await group.join('', {}, 3)
  await group.sync(memberId, generationId, { assignments: [{ memberId, assignment: assigned }] })
  return memberId
}

const cooperative = (owned: readonly number[], version = 1) => ({
  protocols: [
    { name: 'cooperative-sticky', metadata: subscriptionBytes({ topics: [TOPIC], owned, version }) },
    { name: 'range', metadata: subscriptionBytes({ topics: [TOPIC], owned, version }) },
  ],
})

const upgradeAndDowngrade: Scene = async (group) => {
  const classic = await classicGroup(group)
  await group.consumeJoin('new')
  await group.beat(classic, 1)
  await group.sync(classic, 1)
  const joined = await group.join(classic, cooperative([0, 1, 2, 3]))
  await group.beat(classic, joined.generationId)
  await group.sync(classic, joined.generationId, { protocolName: 'cooperative-sticky' })
  const again = await group.join(classic, cooperative([0, 1], 3))
  await group.sync(classic, again.generationId, { protocolName: 'cooperative-sticky' })
  await group.beat(classic, again.generationId)
  await group.consume('new', 2, group.holding())
  await group.consume('new', 2, group.holding(2, 3))
  await group.say(consumerGroupDescribe, 1, { groupIds: [group.groupId], includeAuthorizedOperations: false })
  await group.join('', {})
  await group.join('', { protocols: [{ name: 'other', metadata: subscriptionBytes({ topics: [TOPIC] }) }] })
  await group.join('', { protocolType: 'connect' })
  await group.sync(classic, 7)
  await group.sync(classic, again.generationId, { protocolName: 'range' })
  await group.sync(classic, again.generationId, { protocolType: 'connect', protocolName: 'cooperative-sticky' })
  await group.sync('nobody', 2)
  await group.sync('new', 2)
  await group.beat('new', 2)
  await group.beat(classic, 9)
  await group.beat('nobody', 2)
  await commit(group, classic, 2)
  await commit(group, classic, 1)
  await commit(group, classic, 5)
  await commit(group, 'new', 2)
  await fetch(group, classic, 1)
  await fetch(group, classic, 2)
  await group.consume('new', -1, {})
  await group.beat(classic, again.generationId)
  const back = await group.join(classic, cooperative([0, 1]))
  await group.sync(classic, back.generationId, {
    protocolName: 'cooperative-sticky',
    assignments: [{ memberId: classic, assignment: assignmentOf([0, 1, 2, 3]) }],
  })
  await group.beat(classic, back.generationId)
}

const leaving: Scene = async (group) => {
  const classic = await classicGroup(group)
  await group.consumeJoin('one')
  await group.leave({ memberId: classic }, { memberId: 'nobody' }, { groupInstanceId: 'nobody' })
  await group.say(consumerGroupDescribe, 1, { groupIds: [group.groupId], includeAuthorizedOperations: false })
  await group.join('late')
  await group.leave({ memberId: 'one' })
  await group.beat('late', 4)
  await group.leave({ memberId: 'late' })
}

const staticMembers: Scene = async (group) => {
  const fixed = { groupInstanceId: 'i1' }
  const { memberId, generationId } = await group.join('', fixed)
  await group.sync(memberId, generationId, {
    ...fixed,
    assignments: [{ memberId, assignment: assignmentOf([0, 1, 2, 3]) }],
  })
  await group.consumeJoin('c1', { instanceId: 'i1' })
  await group.beat(memberId, generationId, 'i1')
  await group.sync(memberId, generationId, fixed)
  await group.consumeJoin('c2')
  await group.consume('c1', 3, { instanceId: 'i1', ...group.holding(0, 1, 2, 3) })
  await group.join('', { groupInstanceId: 'i2' })
  await group.join('wrong', { groupInstanceId: 'i2' })
  await group.join('wrong', { groupInstanceId: 'i3' })
  await group.consume('c2', -1, {})
  await group.join('', fixed)
  await group.beat('c1', 4, 'i1')
  await group.leave({ groupInstanceId: 'i1' }, { memberId: 'wrong', groupInstanceId: 'i2' })
}

const waitingMembers: Scene = async (group) => {
  const first = await classicGroup(group)
  const waiting = group.joinAside()
  await rebalancing(group, first)
  await group.consumeJoin('c1')
  group.note(await waiting)
  await group.beat(first, 1)
  await group.join(first)
}

const unconvertible: Scene = async (group) => {
  await classicGroup(group, assignmentOf([0], Buffer.from('custom')))
  await group.consumeJoin('c1')
}

const otherProtocol: Scene = async (group) => {
  const { memberId } = await group.join('', { protocolType: 'connect' }, 3)
  await group.consumeJoin('c1')
  await group.leave({ memberId })
}

const malformed: Scene = async (group) => {
  await group.consumeJoin('c1')
  await group.join('k1', { protocols: [] })
  await group.consume('c1', 5, {})
  await group.consume('c9', 5, {})
}

/** Until the member is told that a rebalance has begun. */
async function rebalancing(group: GroupConversation, memberId: string): Promise<void> {
  while ((await group.heartbeat(memberId, 1)) !== errorCode('REBALANCE_IN_PROGRESS'));
}

async function commit(group: GroupConversation, memberId: string, generationIdOrMemberEpoch: number): Promise<void> {
  const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }]
  const topics = [{ name: TOPIC, partitions }]
  await group.say(offsetCommit, 9, { groupId: group.groupId, memberId, generationIdOrMemberEpoch, topics })
}

async function fetch(group: GroupConversation, memberId: string, memberEpoch: number): Promise<void> {
  const topics = [{ name: TOPIC, partitionIndexes: [0] }]
  await group.say(offsetFetch, 9, { groups: [{ groupId: group.groupId, memberId, memberEpoch, topics }] })
}

export const scenes: Readonly<Record<string, Scene>> = {
  upgradeAndDowngrade,
  leaving,
  staticMembers,
  waitingMembers,
  unconvertible,
  otherProtocol,
  malformed,
}
