import { describe, expect, it } from '@jest/globals'
import type { ConsumerHeartbeat } from '../../../src/domain/groups/consumer-decision.ts'
import { refuseHeartbeat } from '../../../src/domain/groups/heartbeat-validity.ts'

const join: ConsumerHeartbeat = {
  groupId: 'g',
  memberId: 'm',
  memberEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: 1000,
  subscribedTopicNames: ['t'],
  subscribedTopicRegex: null,
  serverAssignor: null,
  owned: [],
  clientId: 'c',
  clientHost: '/127.0.0.1',
}

// Observed on 4.3.1 with the same requests.
describe('a heartbeat in itself', () => {
  it.each<[string, Partial<ConsumerHeartbeat>]>([
    ["GroupId can't be empty.", { groupId: '' }],
    ["InstanceId can't be empty.", { instanceId: '' }],
    ["RackId can't be empty.", { rackId: '' }],
    ["MemberId can't be empty.", { memberId: '' }],
    ["MemberId can't be empty.", { memberId: '', memberEpoch: 3 }],
    ["MemberId can't be empty.", { memberId: '', memberEpoch: -1 }],
    ["MemberId can't be empty.", { memberId: '', memberEpoch: -2, instanceId: 'i' }],
    ["MemberId can't be empty.", { memberId: '', groupId: '', rackId: '', memberEpoch: -3 }],
    ["InstanceId can't be null.", { memberEpoch: -2 }],
    ['MemberEpoch is invalid.', { memberEpoch: -3 }],
    ['RebalanceTimeoutMs must be provided in first request.', { rebalanceTimeoutMs: -1 }],
    ['TopicPartitions must be empty when (re-)joining.', { owned: null }],
    ['TopicPartitions must be empty when (re-)joining.', { owned: [{ topicId: 'x', partitions: [0] }] }],
    [
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
      { subscribedTopicNames: null },
    ],
  ])('is refused: %s', (message, fields) => {
    expect(refuseHeartbeat({ ...join, ...fields }, ['uniform'], false)).toEqual({ error: 'INVALID_REQUEST', message })
  })

  it.each<[string, Partial<ConsumerHeartbeat>]>([
    ["MemberId can't be empty.", { groupId: '', memberEpoch: 3 }],
    ["MemberId can't be empty.", { rackId: '', memberEpoch: -1 }],
    ["GroupId can't be empty.", { groupId: '' }],
    ["InstanceId can't be null.", { memberEpoch: -2 }],
    ['MemberEpoch is invalid.', { memberEpoch: -3 }],
  ])('without an id in version 0 is refused: %s', (message, fields) => {
    const heartbeat = { ...join, memberId: '', ...fields }
    expect(refuseHeartbeat(heartbeat, ['uniform'], true)).toEqual({ error: 'INVALID_REQUEST', message })
  })

  it.each(['nosuch', ''])('is refused for the assignor %p, also when it leaves', (serverAssignor) => {
    expect(refuseHeartbeat({ ...join, memberEpoch: -1, serverAssignor }, ['uniform', 'range'], false)).toEqual({
      error: 'UNSUPPORTED_ASSIGNOR',
      message: `ServerAssignor ${serverAssignor} is not supported. Supported assignors: uniform, range.`,
    })
  })

  it.each<[string, Partial<ConsumerHeartbeat>, boolean]>([
    ['a join', {}, false],
    ['a join without an id in version 0', { memberId: '' }, true],
    ['a join by pattern alone', { subscribedTopicNames: null, subscribedTopicRegex: '' }, false],
    ['a join that subscribes to nothing', { subscribedTopicNames: [] }, false],
    ['a heartbeat', { memberEpoch: 5, owned: null, rebalanceTimeoutMs: -1, subscribedTopicNames: null }, false],
    ['a leave', { memberEpoch: -1 }, false],
    ['a static leave', { memberEpoch: -2, instanceId: 'i' }, false],
    ['a known assignor', { serverAssignor: 'range' }, false],
  ])('may be %s', (_, fields, mayLackMemberId) => {
    expect(refuseHeartbeat({ ...join, ...fields }, ['uniform', 'range'], mayLackMemberId)).toBeNull()
  })
})
