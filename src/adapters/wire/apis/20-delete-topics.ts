/**
 * DeleteTopics (key 20): deletes topics.
 *
 *  v1  the oldest that is served
 *  v2  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v3  TOPIC_DELETION_DISABLED instead of a plain refusal
 *  v4  flexible
 *  v5  error messages; THROTTLING_QUOTA_EXCEEDED may be answered (KIP-599)
 *  v6  topics by name or by id (KIP-516)
 */
import { array, int16, int32, string, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on TOPIC_DELETION_DISABLED may be answered (KIP-322). */
export const DELETION_DISABLED_SINCE = 3
/** From this version on topics go by name or by id (KIP-516). */
export const IDS_SINCE = 6

export const deleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: '1-6',
  flexible: '4+',
  request: {
    topics: array('6+', {
      name: string({ nullable: true, default: null }),
      topicId: uuid(),
    }),
    topicNames: array('0-5', { ignorable: true }, 'string'),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    responses: array({
      name: string({ nullable: '6+' }),
      topicId: uuid('6+', { ignorable: true }),
      errorCode: int16(),
      errorMessage: string('5+', { nullable: true, default: null, ignorable: true }),
    }),
  },
})
