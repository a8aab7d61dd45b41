/**
 * FindCoordinator (key 10): which broker coordinates a group, a transactional id or a share partition.
 *
 *  v1  keyType tells groups (0) and transactions (1) apart
 *  v2  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v3  flexible
 *  v4  several keys at once (KIP-699)
 *  v5  TRANSACTION_ABORTABLE may be answered (KIP-890)
 *  v6  keyType 2: share coordinators (KIP-932)
 */
import { array, int16, int32, int8, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on a request carries several keys, and each gets its own answer (KIP-699). */
export const BATCHED_SINCE = 4
/** From this version on there are share coordinators (KIP-932). */
export const SHARE_SINCE = 6

export const findCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: '0-6',
  flexible: '3+',
  request: {
    key: string('0-3'),
    keyType: int8('1+'),
    coordinatorKeys: array('4+', 'string'),
  },
  response: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0-3'),
    errorMessage: string('1-3', { nullable: true, ignorable: true }),
    nodeId: int32('0-3'),
    host: string('0-3'),
    port: int32('0-3'),
    coordinators: array('4+', {
      key: string(),
      nodeId: int32(),
      host: string(),
      port: int32(),
      errorCode: int16(),
      errorMessage: string({ nullable: true }),
    }),
  },
})
