/**
 * UnregisterController (key 94): forgets a controller that is gone for good.
 */
import { int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const unregisterController = api({
  key: 94,
  name: 'UnregisterController',
  versions: '0',
  flexible: '0+',
  request: {
    controllerId: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
  },
})
