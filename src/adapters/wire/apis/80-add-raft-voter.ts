/**
 * AddRaftVoter (key 80): adds a voter to the metadata quorum (KIP-853).
 *
 *  v1  ackWhenCommitted: answer before or after the commit (KIP-1186)
 */
import { array, bool, int16, int32, string, uint16, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const addRaftVoter = api({
  key: 80,
  name: 'AddRaftVoter',
  versions: '0-1',
  flexible: '0+',
  request: {
    clusterId: string({ nullable: true }),
    timeoutMs: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array({
      name: string(),
      host: string(),
      port: uint16(),
    }),
    ackWhenCommitted: bool('1+', { default: true }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
  },
})
