/**
 * Produce (key 0): a producer appends record batches to partitions.
 *
 *  v3  the oldest that is served: batches of magic 2, transactionalId (KIP-98)
 *  v4  KAFKA_STORAGE_ERROR may be answered
 *  v5  the response tells logStartOffset (KIP-107)
 *  v6  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v7  zstd may be used (KIP-110)
 *  v8  the response names the records that were refused, and why (KIP-467)
 *  v9  flexible
 *  v10 the response tells the current leader and its address when the partition has moved (KIP-951)
 *  v11 TRANSACTION_ABORTABLE may be answered (KIP-890)
 *  v12 a transactional produce adds its partition to the transaction itself (KIP-890)
 *  v13 topics by id instead of name (KIP-516)
 *
 * Versions 0 to 2 are advertised because old clients stumble over a higher minimum, and refused when used, as Kafka
 * does.
 */
import { array, int16, int32, int64, records, string, struct, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on topics are named by id (KIP-516). */
export const BY_ID_SINCE = 13
/** From this version on batches may be compressed with zstd (KIP-110). */
export const ZSTD_SINCE = 7
/** From this version on TRANSACTION_ABORTABLE may be answered (KIP-890). */
export const ABORTABLE_SINCE = 11
/** From this version on partitions are taken into the transaction by producing to them (KIP-890). */
export const ADDS_PARTITIONS_SINCE = 12

export const produce = api({
  key: 0,
  name: 'Produce',
  versions: '3-13',
  advertised: '0-13',
  flexible: '9+',
  request: {
    transactionalId: string('3+', { nullable: true, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string('0-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitionData: array({
        index: int32(),
        records: records({ nullable: true }),
      }),
    }),
  },
  response: {
    responses: array({
      name: string('0-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64('2+', { default: -1n, ignorable: true }),
        logStartOffset: int64('5+', { default: -1n, ignorable: true }),
        recordErrors: array(
          '8+',
          { ignorable: true },
          {
            batchIndex: int32(),
            batchIndexErrorMessage: string({ nullable: true, default: null }),
          },
        ),
        errorMessage: string('8+', { nullable: true, default: null, ignorable: true }),
        currentLeader: struct(
          '10+',
          { tag: 0 },
          {
            leaderId: int32({ default: -1 }),
            leaderEpoch: int32({ default: -1 }),
          },
        ),
      }),
    }),
    throttleTimeMs: int32('1+', { ignorable: true }),
    nodeEndpoints: array(
      '10+',
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
