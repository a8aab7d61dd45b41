/**
 * ListOffsets (key 2): offsets by timestamp, and the earliest and latest ones.
 *
 *  v1  the oldest that is served: one offset for a timestamp instead of a list
 *  v2  isolationLevel (KIP-98)
 *  v3  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v4  leader epochs in both directions (KIP-320)
 *  v5  the same as v4
 *  v6  flexible
 *  v7  timestamp -3 asks for the offset of the largest timestamp (KIP-734)
 *  v8  timestamp -4 asks for the earliest local offset (KIP-405)
 *  v9  timestamp -5 asks for the last tiered offset (KIP-1005)
 *  v10 timeoutMs, for lookups in remote storage (KIP-1075)
 *  v11 timestamp -6 asks for the earliest offset that is not yet tiered (KIP-1023)
 */
import { array, int16, int32, int64, int8, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on the answer tells the leader epoch of the offset (KIP-320). */
export const LEADER_EPOCH_SINCE = 4
/** From this version on the offset of the largest timestamp can be asked for (KIP-734). */
export const MAX_TIMESTAMP_SINCE = 7
/** From this version on the earliest local offset can be asked for (KIP-405). */
export const EARLIEST_LOCAL_SINCE = 8
/** From this version on the last tiered offset can be asked for (KIP-1005). */
export const LATEST_TIERED_SINCE = 9
/** From this version on the earliest offset that is not yet tiered can be asked for (KIP-1023). */
export const PENDING_UPLOAD_SINCE = 11

export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: '1-11',
  flexible: '6+',
  request: {
    replicaId: int32(),
    isolationLevel: int8('2+'),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32('4+', { default: -1, ignorable: true }),
        timestamp: int64(),
      }),
    }),
    timeoutMs: int32('10+', { ignorable: true }),
  },
  response: {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        timestamp: int64('1+', { default: -1n }),
        offset: int64('1+', { default: -1n }),
        leaderEpoch: int32('4+', { default: -1 }),
      }),
    }),
  },
})
