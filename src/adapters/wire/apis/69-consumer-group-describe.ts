/**
 * ConsumerGroupDescribe (key 69): state and members of consumer groups of the new protocol (KIP-848).
 *
 *  v1  memberType: classic or new protocol
 */
import { array, bool, int16, int32, int8, string, struct, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

const topicPartitions = {
  topicId: uuid(),
  topicName: string(),
  partitions: array('int32'),
}

const assignment = {
  topicPartitions: array(topicPartitions),
}

export const consumerGroupDescribe = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupIds: array('string'),
    includeAuthorizedOperations: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    groups: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      assignorName: string(),
      members: array({
        memberId: string(),
        instanceId: string({ nullable: true, default: null }),
        rackId: string({ nullable: true, default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array('string'),
        subscribedTopicRegex: string({ nullable: true, default: null }),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        memberType: int8('1+', { default: -1, ignorable: true }),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
    }),
  },
})
