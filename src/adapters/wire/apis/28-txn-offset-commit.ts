/**
 * TxnOffsetCommit (key 28): stores the offsets of a group as part of a transaction.
 *
 *  v1  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v2  the leader epoch of the offset (KIP-320)
 *  v3  flexible; generation, member and instance fence (KIP-447)
 *  v4  TRANSACTION_ABORTABLE may be answered (KIP-890)
 *  v5  the commit adds the group to the transaction itself (KIP-890)
 *  v6  topics by id instead of name
 */
import { array, int16, int32, int64, string, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** Older clients fail when they are told that the coordinator is loading. */
export const LOADING_SINCE = 2
/** KIP-890: from this version on TRANSACTION_ABORTABLE is known … */
export const ABORTABLE_SINCE = 4
/** … and from this one on the commit adds the group to the transaction. */
export const ADDS_GROUP_SINCE = 5
/** From this version on topics go by their ids, as those of OffsetCommit do since KIP-848. */
export const IDS_SINCE = 6

export const txnOffsetCommit = api({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: '0-6',
  flexible: '3+',
  request: {
    transactionalId: string(),
    groupId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    generationIdOrMemberEpoch: int32('3+', { default: -1 }),
    memberId: string('3+'),
    groupInstanceId: string('3+', { nullable: true, default: null }),
    topics: array({
      name: string('0-5', { ignorable: true }),
      topicId: uuid('6+', { ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        committedMetadata: string({ nullable: true }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string('0-5', { ignorable: true }),
      topicId: uuid('6+', { ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})
