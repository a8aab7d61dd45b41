/**
 * EndTxn (key 26): commits or aborts a transaction.
 *
 *  v1  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v2  PRODUCER_FENCED instead of INVALID_PRODUCER_EPOCH (KIP-588)
 *  v3  flexible
 *  v4  TRANSACTION_ABORTABLE may be answered (KIP-890)
 *  v5  the epoch is bumped with every transaction: the response tells the new one (KIP-890)
 */
import { bool, int16, int32, int64, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on clients know PRODUCER_FENCED (KIP-588). */
export const FENCED_SINCE = 2
/** From this version on the answer carries the next epoch (KIP-890). */
export const V2_SINCE = 5

export const endTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: '0-5',
  flexible: '3+',
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    committed: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64('5+', { default: -1n, ignorable: true }),
    producerEpoch: int16('5+', { default: -1, ignorable: true }),
  },
})
