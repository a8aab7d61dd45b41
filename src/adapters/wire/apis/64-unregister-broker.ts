/**
 * UnregisterBroker (key 64): forgets a broker that is gone for good.
 */
import { int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const unregisterBroker = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: '0',
  flexible: '0+',
  request: {
    brokerId: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
  },
})
