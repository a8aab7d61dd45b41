/**
 * Fetch (key 1): consumers, followers and observers read record batches.
 *
 *  v4  the oldest that is served: isolation level, aborted transactions (KIP-98)
 *  v5  logStartOffset in both directions (KIP-107)
 *  v6  KAFKA_STORAGE_ERROR may be answered
 *  v7  incremental sessions: only what changed is asked and answered (KIP-227)
 *  v8  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v9  currentLeaderEpoch fences readers with an old or newer view (KIP-320)
 *  v10 zstd may be received (KIP-110)
 *  v11 rackId, and the replica that the consumer had better read (KIP-392)
 *  v12 flexible; lastFetchedEpoch finds truncation, with the epoch, leader and snapshot to go on from (KIP-595)
 *  v13 topics by id instead of name (KIP-516)
 *  v14 OFFSET_MOVED_TO_TIERED_STORAGE may be answered (KIP-405)
 *  v15 the replica is a tagged struct with its epoch; consumers send nothing (KIP-903)
 *  v16 the addresses of new leaders (KIP-951)
 *  v17 the directory id of the fetching replica (KIP-853)
 *  v18 the high watermark that the replica knows (KIP-1166)
 */
import { array, int16, int32, int64, int8, records, string, struct, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on topics are named by id (KIP-516). */
export const BY_ID_SINCE = 13
/** From this version on a consumer says nothing, and a replica does so in `replicaState` (KIP-903). */
export const REPLICA_STATE_SINCE = 15
/** From this version on an outdated client is told who leads (KIP-951). */
export const LEADER_SINCE = 16

export const fetch = api({
  key: 1,
  name: 'Fetch',
  versions: '4-18',
  flexible: '12+',
  request: {
    clusterId: string('12+', { nullable: true, default: null, tag: 0, ignorable: true }),
    replicaId: int32('0-14', { default: -1 }),
    replicaState: struct(
      '15+',
      { tag: 1 },
      {
        replicaId: int32({ default: -1 }),
        replicaEpoch: int64({ default: -1n }),
      },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32('3+', { default: 2147483647, ignorable: true }),
    isolationLevel: int8('4+', { ignorable: true }),
    sessionId: int32('7+', { ignorable: true }),
    sessionEpoch: int32('7+', { default: -1, ignorable: true }),
    topics: array({
      topic: string('0-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32('9+', { default: -1, ignorable: true }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32('12+', { default: -1 }),
        logStartOffset: int64('5+', { default: -1n, ignorable: true }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid('17+', { tag: 0, ignorable: true }),
        highWatermark: int64('18+', { default: 9223372036854775807n, tag: 1, ignorable: true }),
      }),
    }),
    forgottenTopicsData: array('7+', {
      topic: string('7-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: array('int32'),
    }),
    rackId: string('11+', { ignorable: true }),
  },
  response: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('7+', { ignorable: true }),
    sessionId: int32('7+'),
    responses: array({
      topic: string('0-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64('4+', { default: -1n, ignorable: true }),
        logStartOffset: int64('5+', { default: -1n, ignorable: true }),
        divergingEpoch: struct(
          '12+',
          { tag: 0 },
          {
            epoch: int32({ default: -1 }),
            endOffset: int64({ default: -1n }),
          },
        ),
        currentLeader: struct(
          '12+',
          { tag: 1 },
          {
            leaderId: int32({ default: -1 }),
            leaderEpoch: int32({ default: -1 }),
          },
        ),
        snapshotId: struct(
          '12+',
          { tag: 2 },
          {
            endOffset: int64({ default: -1n }),
            epoch: int32({ default: -1 }),
          },
        ),
        abortedTransactions: array(
          '4+',
          { nullable: true, ignorable: true },
          {
            producerId: int64(),
            firstOffset: int64(),
          },
        ),
        preferredReadReplica: int32('11+', { default: -1 }),
        records: records({ nullable: true }),
      }),
    }),
    nodeEndpoints: array(
      '16+',
      { tag: 0 },
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: true, default: null }),
      },
    ),
  },
})
