/**
 * DescribeTopicPartitions (key 75): partitions of topics, page by page, with eligible leader replicas (KIP-966).
 */
import { array, bool, int16, int32, string, struct, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const describeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: '0',
  flexible: '0+',
  request: {
    topics: array({
      name: string(),
    }),
    responsePartitionLimit: int32({ default: 2000 }),
    cursor: struct(
      { nullable: true, default: null },
      {
        topicName: string(),
        partitionIndex: int32(),
      },
    ),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: true }),
      topicId: uuid(),
      isInternal: bool(),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ default: -1 }),
        replicaNodes: array('int32'),
        isrNodes: array('int32'),
        eligibleLeaderReplicas: array({ nullable: true, default: null }, 'int32'),
        lastKnownElr: array({ nullable: true, default: null }, 'int32'),
        offlineReplicas: array('int32'),
      }),
      topicAuthorizedOperations: int32({ default: -2147483648 }),
    }),
    nextCursor: struct(
      { nullable: true, default: null },
      {
        topicName: string(),
        partitionIndex: int32(),
      },
    ),
  },
})
