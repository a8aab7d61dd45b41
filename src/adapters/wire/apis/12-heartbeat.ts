/**
 * Heartbeat (key 12): a member of a classic group says that it is alive.
 *
 *  v1  throttleTimeMs
 *  v2  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v3  groupInstanceId (KIP-345)
 *  v4  flexible
 */
import { int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: '0-4',
  flexible: '4+',
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string('3+', { nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16(),
  },
})
