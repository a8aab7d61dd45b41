/**
 * OffsetForLeaderEpoch (key 23): where a leader epoch ended in the log of the leader.
 *
 *  v2  the oldest that is served: currentLeaderEpoch fences (KIP-320)
 *  v3  replicaId
 *  v4  flexible
 */
import { array, int16, int32, int64, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const offsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: '2-4',
  flexible: '4+',
  request: {
    replicaId: int32('3+', { default: -2, ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        leaderEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32('1+', { default: -1, ignorable: true }),
        endOffset: int64({ default: -1n }),
      }),
    }),
  },
})
