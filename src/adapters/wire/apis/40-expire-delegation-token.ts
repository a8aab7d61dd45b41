/**
 * ExpireDelegationToken (key 40): ends or shortens the life of a delegation token.
 *
 *  v1  the oldest that is served
 *  v2  flexible
 */
import { bytes, int16, int32, int64 } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const expireDelegationToken = api({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: '1-2',
  flexible: '2+',
  request: {
    hmac: bytes(),
    expiryTimePeriodMs: int64(),
  },
  response: {
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32(),
  },
})
