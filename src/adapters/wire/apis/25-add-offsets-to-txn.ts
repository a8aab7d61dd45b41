/**
 * AddOffsetsToTxn (key 25): a transaction takes in the offsets of a group.
 *
 *  v1  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v2  PRODUCER_FENCED instead of INVALID_PRODUCER_EPOCH (KIP-588)
 *  v3  flexible
 *  v4  TRANSACTION_ABORTABLE may be answered (KIP-890)
 */
import { int16, int32, int64, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on clients know PRODUCER_FENCED (KIP-588). */
export const FENCED_SINCE = 2

export const addOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: '0-4',
  flexible: '3+',
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    groupId: string(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
})
