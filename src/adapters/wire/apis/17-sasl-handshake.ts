/**
 * SaslHandshake (key 17): the client picks a SASL mechanism.
 *
 *  v0  the tokens follow as bare frames
 *  v1  the tokens travel in SaslAuthenticate (KIP-152)
 */
import { array, int16, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const saslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  flexible: 'none',
  request: {
    mechanism: string(),
  },
  response: {
    errorCode: int16(),
    mechanisms: array('string'),
  },
})
