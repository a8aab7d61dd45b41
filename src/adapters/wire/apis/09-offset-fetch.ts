/**
 * OffsetFetch (key 9): the offsets that consumer groups have stored.
 *
 *  v1  the oldest that is served: offsets kept by the group coordinator
 *  v2  null asks for all topics; an errorCode for the group
 *  v3  throttleTimeMs
 *  v4  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v5  the leader epoch of the offset (KIP-320)
 *  v6  flexible
 *  v7  requireStable waits for open transactions (KIP-447)
 *  v8  several groups at once (KIP-709)
 *  v9  member id and epoch of the new consumer protocol (KIP-848)
 *  v10 topics by id instead of name (KIP-848)
 */
import { array, bool, int16, int32, int64, string, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** Before this version there is no error of a whole group: each partition has it (KIP-88). */
export const GROUP_ERROR_SINCE = 2
/** KIP-709: several groups at once. */
export const BATCHED_SINCE = 8
/** From this version on topics go by their ids (KIP-848). */
export const IDS_SINCE = 10

export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: '1-10',
  flexible: '6+',
  request: {
    groupId: string('0-7'),
    topics: array(
      '0-7',
      { nullable: '2-7' },
      {
        name: string(),
        partitionIndexes: array('int32'),
      },
    ),
    groups: array('8+', {
      groupId: string(),
      memberId: string('9+', { nullable: true, default: null, ignorable: true }),
      memberEpoch: int32('9+', { default: -1, ignorable: true }),
      topics: array(
        { nullable: true },
        {
          name: string('8-9', { ignorable: true }),
          topicId: uuid('10+', { ignorable: true }),
          partitionIndexes: array('int32'),
        },
      ),
    }),
    requireStable: bool('7+'),
  },
  response: {
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: array('0-7', {
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32('5-7', { default: -1, ignorable: true }),
        metadata: string({ nullable: true }),
        errorCode: int16(),
      }),
    }),
    errorCode: int16('2-7', { ignorable: true }),
    groups: array('8+', {
      groupId: string(),
      topics: array({
        name: string('8-9', { ignorable: true }),
        topicId: uuid('10+', { ignorable: true }),
        partitions: array({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ default: -1 }),
          metadata: string({ nullable: true }),
          errorCode: int16(),
        }),
      }),
      errorCode: int16(),
    }),
  },
})
