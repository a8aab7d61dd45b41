/**
 * SaslAuthenticate (key 36): one step of a SASL exchange.
 *
 *  v1  sessionLifetimeMs asks for re-authentication in time (KIP-368)
 *  v2  flexible
 */
import { bytes, int16, int64, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const saslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: '0-2',
  flexible: '2+',
  request: {
    authBytes: bytes(),
  },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    authBytes: bytes(),
    sessionLifetimeMs: int64('1+', { ignorable: true }),
  },
})
