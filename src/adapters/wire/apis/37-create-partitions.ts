/**
 * CreatePartitions (key 37): adds partitions to topics.
 *
 *  v1  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v2  flexible
 *  v3  THROTTLING_QUOTA_EXCEEDED may be answered (KIP-599)
 */
import { array, bool, int16, int32, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const createPartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: '0-3',
  flexible: '2+',
  request: {
    topics: array({
      name: string(),
      count: int32(),
      assignments: array(
        { nullable: true },
        {
          brokerIds: array('int32'),
        },
      ),
    }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
    }),
  },
})
