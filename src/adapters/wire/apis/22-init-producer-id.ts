/**
 * InitProducerId (key 22): a producer id and epoch for an idempotent or transactional producer.
 *
 *  v1  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v2  flexible
 *  v3  a producer may bump the epoch that it has (KIP-360)
 *  v4  PRODUCER_FENCED instead of INVALID_PRODUCER_EPOCH (KIP-588)
 *  v5  TRANSACTION_ABORTABLE may be answered (KIP-890)
 *  v6  two-phase commit (KIP-939); unstable: neither advertised nor served
 */
import { bool, int16, int32, int64, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on clients know PRODUCER_FENCED (KIP-588). */
export const FENCED_SINCE = 4

export const initProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: '0-5',
  unstable: '6',
  flexible: '2+',
  request: {
    transactionalId: string({ nullable: true }),
    transactionTimeoutMs: int32(),
    producerId: int64('3+', { default: -1n }),
    producerEpoch: int16('3+', { default: -1 }),
    enable2Pc: bool('6+'),
    keepPreparedTxn: bool('6+'),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64({ default: -1n }),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64('6+', { default: -1n }),
    ongoingTxnProducerEpoch: int16('6+', { default: -1 }),
  },
})
