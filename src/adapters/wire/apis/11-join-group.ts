/**
 * JoinGroup (key 11): a member enters the rebalance of a classic consumer group.
 *
 *  v0  the session timeout is also the rebalance timeout
 *  v1  rebalanceTimeoutMs of its own
 *  v2  throttleTimeMs
 *  v3  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v4  a first join is answered with MEMBER_ID_REQUIRED and the id to use (KIP-394)
 *  v5  groupInstanceId (KIP-345)
 *  v6  flexible
 *  v7  the response tells the protocol type; the protocol name may be null (KIP-559)
 *  v8  the member gives a reason for joining (KIP-800)
 *  v9  skipAssignment: the leader need not assign (KIP-814)
 */
import { array, bool, bytes, int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on members have a rebalance timeout of their own (KIP-62). */
export const REBALANCE_TIMEOUT_SINCE = 1
/** KIP-394: a new member is given its id and joins with it. */
export const MEMBER_ID_REQUIRED_SINCE = 4
/** Before this version a protocol name cannot be null on the wire (KIP-559). */
export const PROTOCOL_NAME_NULLABLE_SINCE = 7
/** From this version on the leader may be told that nothing is to be assigned (KIP-814). */
export const SKIP_ASSIGNMENT_SINCE = 9

export const joinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: '0-9',
  flexible: '6+',
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32('1+', { default: -1, ignorable: true }),
    memberId: string(),
    groupInstanceId: string('5+', { nullable: true, default: null }),
    protocolType: string(),
    protocols: array({
      name: string(),
      metadata: bytes(),
    }),
    reason: string('8+', { nullable: true, default: null, ignorable: true }),
  },
  response: {
    throttleTimeMs: int32('2+', { ignorable: true }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string('7+', { nullable: true, default: null, ignorable: true }),
    protocolName: string({ nullable: '7+' }),
    leader: string(),
    skipAssignment: bool('9+'),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: string('5+', { nullable: true, default: null, ignorable: true }),
      metadata: bytes(),
    }),
  },
})
