/**
 * DescribeGroups (key 15): state and members of classic groups.
 *
 *  v1  throttleTimeMs
 *  v2  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v3  authorized operations, when asked for (KIP-430)
 *  v4  groupInstanceId (KIP-345)
 *  v5  flexible
 *  v6  error messages; an unknown group is GROUP_ID_NOT_FOUND instead of a dead one (KIP-1043)
 */
import { array, bool, bytes, int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** KIP-1043: from this version on an unknown group is an error; before, it is a dead one. */
export const UNKNOWN_IS_ERROR_SINCE = 6

export const describeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: '0-6',
  flexible: '5+',
  request: {
    groups: array('string'),
    includeAuthorizedOperations: bool('3+'),
  },
  response: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    groups: array({
      errorCode: int16(),
      errorMessage: string('6+', { nullable: true, default: null }),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: string('4+', { nullable: true, default: null, ignorable: true }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32('3+', { default: -2147483648 }),
    }),
  },
})
