/** Conversations in which a group refuses what it is asked, one after the other. */
import type { WritableOf } from '../../src/adapters/codec/schema.ts'
import { consumerGroupDescribe } from '../../src/adapters/wire/apis/69-consumer-group-describe.ts'
import { deleteGroups } from '../../src/adapters/wire/apis/42-delete-groups.ts'
import { describeGroups } from '../../src/adapters/wire/apis/15-describe-groups.ts'
import { listGroups } from '../../src/adapters/wire/apis/16-list-groups.ts'
import { offsetCommit } from '../../src/adapters/wire/apis/08-offset-commit.ts'
import { offsetDelete } from '../../src/adapters/wire/apis/47-offset-delete.ts'
import { offsetFetch } from '../../src/adapters/wire/apis/09-offset-fetch.ts'
import { assignmentOf, type GroupConversation, subscriptionBytes, TOPIC } from './group-conversation.ts'
import type { Scene } from './group-scenes.ts'

const metadata = subscriptionBytes({ topics: [TOPIC] })
const fixed = { groupInstanceId: 'i1' }

const classicRefusals: Scene = async (group) => {
  await group.join('', { sessionTimeoutMs: 1 })
  await group.join('', { sessionTimeoutMs: 1_800_001 })
  await group.join('', { groupId: '' })
  await group.join('', { protocolType: '' })
  await group.join('', { protocols: [] })
  await group.join('nobody')
  await group.join('nobody', fixed)
  await group.sync('nobody', 1)
  await group.sync('nobody', 1, { protocolName: null })
  await group.sync('nobody', 1, { groupId: '' })
  await group.beat('nobody', 1)
  await group.leave({ memberId: 'nobody' })
  const { memberId } = await group.join('', fixed)
  await group.join('nobody', fixed)
  await group.join(memberId, { groupInstanceId: 'i2' })
  await group.join('', { protocols: [{ name: 'other', metadata }] })
  await group.join('', { protocolType: 'connect' })
  await group.sync(memberId, 0, fixed)
  await group.sync(memberId, 2, fixed)
  await group.sync('nobody', 1, fixed)
  await group.sync(memberId, 1, { groupInstanceId: 'i2' })
  await group.sync(memberId, 1, { ...fixed, protocolName: 'other' })
  await group.beat(memberId, 1, 'i1')
  await commit(group, memberId, 1, fixed)
  await group.sync(memberId, 1, { ...fixed, assignments: [{ memberId, assignment: assignmentOf([0, 1, 2, 3]) }] })
  await group.beat(memberId, 2, 'i1')
  await group.beat(memberId, 0, 'i1')
  await group.beat('nobody', 1, 'i1')
  await group.beat(memberId, 1, 'i2')
  await group.leave({ memberId: 'nobody', groupInstanceId: 'i1' }, { groupInstanceId: 'i2' }, { memberId: '' })
  const again = await group.join('', fixed)
  await group.beat(memberId, 1, 'i1')
  await group.sync(memberId, 1, fixed)
  await group.join(memberId, fixed)
  await group.leave({ memberId, groupInstanceId: 'i1' })
  await commit(group, memberId, 1, fixed)
  await group.leave({ memberId: again.memberId, groupInstanceId: 'i1' }, { groupInstanceId: 'i1' })
  await group.beat(again.memberId, 1, 'i1')
  await group.sync(again.memberId, 1, fixed)
  await group.join(again.memberId, fixed)
}

const consumerRefusals: Scene = async (group) => {
  await group.consumeJoin('c', { groupId: '' })
  await group.consumeJoin('')
  await group.consumeJoin('c', { instanceId: '' })
  await group.consumeJoin('c', { rackId: '' })
  await group.consumeJoin('c', { rebalanceTimeoutMs: -1 })
  await group.consumeJoin('c', { topicPartitions: null })
  await group.consumeJoin('c', group.holding(0))
  await group.consumeJoin('c', { subscribedTopicNames: null })
  await group.consumeJoin('c', { subscribedTopicNames: [], subscribedTopicRegex: '' })
  await group.consumeJoin('c', { serverAssignor: 'nosuch' })
  await group.consumeJoin('c', { serverAssignor: '' })
  await group.consumeJoin('c', { subscribedTopicNames: null, subscribedTopicRegex: '[' })
  await group.consumeJoin('c', { subscribedTopicNames: null, subscribedTopicRegex: '(?<n>x)(' })
  await group.consume('c', -3, {})
  await group.consume('c', -2, {})
  await group.consume('', -1, {})
  await group.consume('nobody', -1, {})
  await group.consume('nobody', -2, { instanceId: 'nobody' })
  await group.consume('nobody', 1, {})
  await group.consume('nobody', 1, { instanceId: 'nobody' })
  await group.consumeJoin('s1', { instanceId: 'i1' })
  await group.consumeJoin('s2', { instanceId: 'i1' })
  await group.consume('s2', 2, { instanceId: 'i1' })
  await group.consume('s2', -2, { instanceId: 'i1' })
  await group.consume('s2', -1, { instanceId: 'i1' })
  await group.consume('s1', 1, { instanceId: 'i1' })
  await group.consume('s1', 9, { instanceId: 'i1' })
  await group.consume('s1', -2, { instanceId: 'i1' })
  await group.consume('s1', 3, { instanceId: 'i1' })
  await group.consumeJoin('s2', { instanceId: 'i1' })
  await group.consume('s1', 3, { instanceId: 'i1' })
  await group.join('', { protocolType: 'connect' })
  await group.join('k', { protocols: [] })
  await group.sync('s2', 3)
  await group.beat('s2', 3)
  await group.leave({ memberId: 'nobody' }, { memberId: 's1', groupInstanceId: 'i1' }, { groupInstanceId: 'i9' })
  await commit(group, 's2', 9)
  await commit(group, 's2', 0)
  await commit(group, 'nobody', 3)
  await commit(group, '', -1)
  await commit(group, 's2', 3, {}, 8)
  await fetch(group, 'nobody', 3)
  await fetch(group, 's2', 9)
  await fetch(group, 's2', -1)
  await fetch(group, '', 3)
  await fetch(group, null, -1)
  await group.say(offsetDelete, 0, deletion(group))
  await group.say(deleteGroups, 2, { groupsNames: [group.groupId] })
  await group.say(describeGroups, 6, { groups: [group.groupId], includeAuthorizedOperations: false })
  await group.consume('s2', -1, { instanceId: 'i1' })
  await group.consume('s2', -1, { instanceId: 'i1' })
  await group.say(deleteGroups, 2, { groupsNames: [group.groupId] })
  await group.say(deleteGroups, 2, { groupsNames: [group.groupId] })
}

const offsetRefusals: Scene = async (group) => {
  const other = { name: 'nowhere', partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] }
  await commit(group, 'nobody', 3)
  await commit(group, 'nobody', 3, {}, 7)
  await commit(group, 'nobody', -1)
  await commit(group, '', -1, fixed)
  await commit(group, '', -1, { topics: [other] })
  await commit(group, '', -1, { topics: [topic(9, '')] })
  await commit(group, '', -1, { topics: [topic(0, 'm'.repeat(4097))] })
  await commit(group, '', -1, { topics: [topic(0, 'm'.repeat(4096))] })
  await commit(group, '', -1, { topics: [] })
  await commit(group, '', 0)
  await fetch(group, 'nobody', 3)
  await fetch(group, null, -1)
  await group.say(offsetFetch, 9, { groups: [{ groupId: '', topics: null }], requireStable: false })
  await group.say(offsetFetch, 9, { groups: [{ groupId: `${group.groupId}-none`, topics: null }] })
  await group.say(offsetDelete, 0, { ...deletion(group), groupId: '' })
  await group.say(offsetDelete, 0, { ...deletion(group), groupId: `${group.groupId}-none` })
  await group.say(offsetDelete, 0, {
    groupId: group.groupId,
    topics: [{ name: 'nowhere', partitions: [partition(0)] }],
  })
  await group.say(offsetDelete, 0, { groupId: group.groupId, topics: [{ name: TOPIC, partitions: [partition(9)] }] })
  await group.say(offsetDelete, 0, { groupId: group.groupId, topics: [] })
  const { memberId } = await group.join('', fixed)
  await group.say(offsetDelete, 0, deletion(group))
  await commit(group, '', -1)
  await commit(group, memberId, -1)
  await commit(group, memberId, 1, { groupInstanceId: 'i2' })
  await commit(group, 'nobody', 1, fixed)
  await group.sync(memberId, 1, { ...fixed, assignments: [{ memberId, assignment: assignmentOf([0, 1, 2, 3]) }] })
  await group.say(offsetDelete, 0, deletion(group))
  await commit(group, memberId, 2, fixed)
  await commit(group, memberId, 0, fixed)
  await commit(group, memberId, 1, fixed)
  await group.say(deleteGroups, 2, { groupsNames: [group.groupId] })
  await group.leave({ memberId, groupInstanceId: 'i1' })
  await commit(group, memberId, 1, fixed)
  await commit(group, '', -1)
}

const adminRefusals: Scene = async (group) => {
  const none = `${group.groupId}-none`
  await group.say(describeGroups, 5, { groups: ['', none], includeAuthorizedOperations: false })
  await group.say(describeGroups, 6, { groups: ['', none], includeAuthorizedOperations: false })
  await group.say(consumerGroupDescribe, 1, { groupIds: ['', none], includeAuthorizedOperations: false })
  await group.say(listGroups, 5, { statesFilter: ['nonsense'], typesFilter: [] })
  await group.say(listGroups, 5, { statesFilter: [], typesFilter: ['nonsense'] })
  await group.consumeJoin('c')
  await group.say(describeGroups, 5, { groups: [group.groupId], includeAuthorizedOperations: false })
  await group.say(describeGroups, 6, { groups: [group.groupId], includeAuthorizedOperations: false })
  await group.say(deleteGroups, 2, { groupsNames: [group.groupId, group.groupId, none] })
  await group.consume('c', -1, {})
  const { memberId } = await group.join('', { ...fixed, protocolType: 'connect' })
  await group.say(consumerGroupDescribe, 1, { groupIds: [group.groupId], includeAuthorizedOperations: false })
  await group.consumeJoin('c')
  await group.consume('c', 1, {})
  await group.consume('c', -1, {})
  await group.say(offsetDelete, 0, deletion(group))
  await group.leave({ memberId, groupInstanceId: 'i1' })
  await group.say(offsetDelete, 0, deletion(group))
}

const partition = (partitionIndex: number) => ({ partitionIndex })
const topic = (partitionIndex: number, committedMetadata: string) => ({
  name: TOPIC,
  partitions: [{ partitionIndex, committedOffset: 1n, committedMetadata }],
})
const deletion = ({ groupId }: GroupConversation) => ({
  groupId,
  topics: [{ name: TOPIC, partitions: [partition(0)] }],
})

async function commit(
  group: GroupConversation,
  memberId: string,
  generationIdOrMemberEpoch: number,
  changes: Partial<WritableOf<typeof offsetCommit.request>> = {},
  version = 9,
): Promise<void> {
  const topics = [topic(0, '')]
  await group.say(offsetCommit, version, {
    groupId: group.groupId,
    memberId,
    generationIdOrMemberEpoch,
    topics,
    ...changes,
  })
}

async function fetch(group: GroupConversation, memberId: string | null, memberEpoch: number): Promise<void> {
  const topics = [{ name: TOPIC, partitionIndexes: [0] }]
  await group.say(offsetFetch, 9, { groups: [{ groupId: group.groupId, memberId, memberEpoch, topics }] })
}

export const refusals: Readonly<Record<string, Scene>> = {
  classicRefusals,
  consumerRefusals,
  offsetRefusals,
  adminRefusals,
}
