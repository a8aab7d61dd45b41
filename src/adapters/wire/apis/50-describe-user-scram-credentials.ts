/**
 * DescribeUserScramCredentials (key 50): the SCRAM mechanisms and iterations of users; never their secrets.
 */
import { array, int16, int32, int8, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const describeUserScramCredentials = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: '0',
  flexible: '0+',
  request: {
    users: array(
      { nullable: true },
      {
        name: string(),
      },
    ),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: true }),
      credentialInfos: array({
        mechanism: int8(),
        iterations: int32(),
      }),
    }),
  },
})
