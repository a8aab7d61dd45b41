/**
 * LeaveGroup (key 13): members leave a classic group.
 *
 *  v1  throttleTimeMs
 *  v2  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v3  several members at once, static ones too (KIP-345)
 *  v4  flexible
 *  v5  a reason for leaving (KIP-800)
 */
import { array, int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** KIP-345: from this version on several members leave at once, and each has an error of its own. */
export const BATCHED_SINCE = 3

export const leaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: string(),
    memberId: string('0-2'),
    members: array('3+', {
      memberId: string(),
      groupInstanceId: string({ nullable: true, default: null }),
      reason: string('5+', { nullable: true, default: null, ignorable: true }),
    }),
  },
  response: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16(),
    members: array('3+', {
      memberId: string(),
      groupInstanceId: string({ nullable: true }),
      errorCode: int16(),
    }),
  },
})
