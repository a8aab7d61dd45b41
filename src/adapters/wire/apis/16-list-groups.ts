/**
 * ListGroups (key 16): the groups that this broker coordinates.
 *
 *  v1  throttleTimeMs
 *  v2  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v3  flexible
 *  v4  states, to filter by and in the answer (KIP-518)
 *  v5  group types, to filter by and in the answer (KIP-848)
 */
import { array, int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  flexible: '3+',
  request: {
    statesFilter: array('4+', 'string'),
    typesFilter: array('5+', 'string'),
  },
  response: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string('4+', { ignorable: true }),
      groupType: string('5+', { ignorable: true }),
    }),
  },
})
