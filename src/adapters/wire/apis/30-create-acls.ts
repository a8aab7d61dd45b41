/**
 * CreateAcls (key 30): creates ACLs.
 *
 *  v1  the oldest that is served: pattern types (KIP-290)
 *  v2  flexible
 *  v3  the resource type USER (KIP-373)
 */
import { array, int16, int32, int8, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const createAcls = api({
  key: 30,
  name: 'CreateAcls',
  versions: '1-3',
  flexible: '2+',
  request: {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8('1+', { default: 3 }),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true }),
    }),
  },
})
