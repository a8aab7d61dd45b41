/**
 * SyncGroup (key 14): the leader of a classic group hands in the assignments, every member gets its own.
 *
 *  v1  throttleTimeMs
 *  v2  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v3  groupInstanceId (KIP-345)
 *  v4  flexible
 *  v5  protocol type and name in both directions, so that mismatches are found (KIP-559)
 */
import { array, bytes, int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** KIP-559: from this version on the protocol's type and name have to be said. */
export const PROTOCOL_REQUIRED_SINCE = 5

export const syncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string('3+', { nullable: true, default: null }),
    protocolType: string('5+', { nullable: true, default: null, ignorable: true }),
    protocolName: string('5+', { nullable: true, default: null, ignorable: true }),
    assignments: array({
      memberId: string(),
      assignment: bytes(),
    }),
  },
  response: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16(),
    protocolType: string('5+', { nullable: true, default: null, ignorable: true }),
    protocolName: string('5+', { nullable: true, default: null, ignorable: true }),
    assignment: bytes(),
  },
})
