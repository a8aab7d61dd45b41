/**
 * ShareGroupHeartbeat (key 76): a member of a share group joins, stays or leaves (KIP-932).
 */
import { array, int16, int32, string, struct, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

const topicPartitions = {
  topicId: uuid(),
  partitions: array('int32'),
}

export const shareGroupHeartbeat = api({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: '1',
  flexible: '0+',
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    rackId: string({ nullable: true, default: null }),
    subscribedTopicNames: array({ nullable: true, default: null }, 'string'),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    memberId: string({ nullable: true, default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: struct(
      { nullable: true, default: null },
      {
        topicPartitions: array(topicPartitions),
      },
    ),
  },
})
