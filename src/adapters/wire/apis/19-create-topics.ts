/**
 * CreateTopics (key 19): creates topics.
 *
 *  v2  the oldest that is served
 *  v3  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v4  partitions and replication factor may be -1: the broker's defaults (KIP-464)
 *  v5  flexible; the response tells partitions, replication factor and configs (KIP-525)
 *  v6  THROTTLING_QUOTA_EXCEEDED may be answered (KIP-599)
 *  v7  the response tells the topic id (KIP-516)
 */
import { array, bool, int16, int32, int8, string, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const createTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: '2-7',
  flexible: '5+',
  request: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({
        partitionIndex: int32(),
        brokerIds: array('int32'),
      }),
      configs: array({
        name: string(),
        value: string({ nullable: true }),
      }),
    }),
    timeoutMs: int32({ default: 60000 }),
    validateOnly: bool('1+'),
  },
  response: {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array({
      name: string(),
      topicId: uuid('7+', { ignorable: true }),
      errorCode: int16(),
      errorMessage: string('1+', { nullable: true, ignorable: true }),
      topicConfigErrorCode: int16('5+', { tag: 0, ignorable: true }),
      numPartitions: int32('5+', { default: -1, ignorable: true }),
      replicationFactor: int16('5+', { default: -1, ignorable: true }),
      configs: array(
        '5+',
        { nullable: true, ignorable: true },
        {
          name: string(),
          value: string({ nullable: true }),
          readOnly: bool(),
          configSource: int8({ default: -1 }),
          isSensitive: bool(),
        },
      ),
    }),
  },
})
