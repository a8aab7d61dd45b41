/**
 * DeleteGroups (key 42): deletes empty groups.
 *
 *  v1  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v2  flexible
 *  v3  error messages
 */
import { array, int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const deleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: '0-3',
  flexible: '2+',
  request: {
    groupsNames: array('string'),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      groupId: string(),
      errorCode: int16(),
      errorMessage: string('3+', { nullable: true, default: null, ignorable: true }),
    }),
  },
})
