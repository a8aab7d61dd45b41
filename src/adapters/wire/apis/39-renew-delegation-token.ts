/**
 * RenewDelegationToken (key 39): extends the life of a delegation token.
 *
 *  v1  the oldest that is served
 *  v2  flexible
 */
import { bytes, int16, int32, int64 } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const renewDelegationToken = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: '1-2',
  flexible: '2+',
  request: {
    hmac: bytes(),
    renewPeriodMs: int64(),
  },
  response: {
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32(),
  },
})
