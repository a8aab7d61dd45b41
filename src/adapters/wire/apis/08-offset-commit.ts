/**
 * OffsetCommit (key 8): a consumer group stores the offsets that it has got to.
 *
 *  v2  the oldest that is served: offsets kept by the group coordinator
 *  v3  throttleTimeMs
 *  v4  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v5  no retention time any more: it is the broker's setting (KIP-211)
 *  v6  the leader epoch of the offset (KIP-320)
 *  v7  groupInstanceId (KIP-345)
 *  v8  flexible
 *  v9  member epochs of the new consumer protocol (KIP-848)
 *  v10 topics by id instead of name (KIP-848)
 */
import { array, int16, int32, int64, string, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** KIP-848: from this version on the errors of member epochs are known. */
export const EPOCHS_SINCE = 9
/** From this version on topics go by their ids (KIP-848). */
export const IDS_SINCE = 10

export const offsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: '2-10',
  flexible: '8+',
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32('1+', { default: -1, ignorable: true }),
    memberId: string('1+', { ignorable: true }),
    groupInstanceId: string('7+', { nullable: true, default: null }),
    retentionTimeMs: int64('2-4', { default: -1n, ignorable: true }),
    topics: array({
      name: string('0-9', { ignorable: true }),
      topicId: uuid('10+', { ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32('6+', { default: -1, ignorable: true }),
        committedMetadata: string({ nullable: true }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: array({
      name: string('0-9', { ignorable: true }),
      topicId: uuid('10+', { ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})
