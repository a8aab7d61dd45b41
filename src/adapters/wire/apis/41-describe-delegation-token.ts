/**
 * DescribeDelegationToken (key 41): the delegation tokens that the caller may see.
 *
 *  v1  the oldest that is served
 *  v2  flexible
 *  v3  who requested the token (KIP-373)
 */
import { array, bytes, int16, int32, int64, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const describeDelegationToken = api({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: '1-3',
  flexible: '2+',
  request: {
    owners: array(
      { nullable: true },
      {
        principalType: string(),
        principalName: string(),
      },
    ),
  },
  response: {
    errorCode: int16(),
    tokens: array({
      principalType: string(),
      principalName: string(),
      tokenRequesterPrincipalType: string('3+'),
      tokenRequesterPrincipalName: string('3+'),
      issueTimestamp: int64(),
      expiryTimestamp: int64(),
      maxTimestamp: int64(),
      tokenId: string(),
      hmac: bytes(),
      renewers: array({
        principalType: string(),
        principalName: string(),
      }),
    }),
    throttleTimeMs: int32(),
  },
})
