/**
 * ShareGroupDescribe (key 77): state and members of share groups (KIP-932).
 */
import { array, bool, int16, int32, string, struct, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

const topicPartitions = {
  topicId: uuid(),
  topicName: string(),
  partitions: array('int32'),
}

const assignment = {
  topicPartitions: array(topicPartitions),
}

export const shareGroupDescribe = api({
  key: 77,
  name: 'ShareGroupDescribe',
  versions: '1',
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
        rackId: string({ nullable: true, default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array('string'),
        assignment: struct(assignment),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
    }),
  },
})
