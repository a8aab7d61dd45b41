/**
 * RemoveRaftVoter (key 81): removes a voter from the metadata quorum (KIP-853).
 */
import { int16, int32, string, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const removeRaftVoter = api({
  key: 81,
  name: 'RemoveRaftVoter',
  versions: '0',
  flexible: '0+',
  request: {
    clusterId: string({ nullable: true }),
    voterId: int32(),
    voterDirectoryId: uuid(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
  },
})
