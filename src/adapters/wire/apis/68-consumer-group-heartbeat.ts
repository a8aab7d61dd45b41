/**
 * ConsumerGroupHeartbeat (key 68): a member of a consumer group of the new protocol joins, stays, reconciles or
 * leaves (KIP-848).
 *
 *  v1  subscription by regular expression, evaluated here; the member makes its own id
 */
import { array, int16, int32, string, struct, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on members make their own ids (KIP-1082). */
export const OWN_MEMBER_ID_SINCE = 1

const topicPartitions = {
  topicId: uuid(),
  partitions: array('int32'),
}

export const consumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string({ nullable: true, default: null }),
    rackId: string({ nullable: true, default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: array({ nullable: true, default: null }, 'string'),
    subscribedTopicRegex: string('1+', { nullable: true, default: null }),
    serverAssignor: string({ nullable: true, default: null }),
    topicPartitions: array(
      { nullable: true, default: null },
      {
        topicId: uuid(),
        partitions: array('int32'),
      },
    ),
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
