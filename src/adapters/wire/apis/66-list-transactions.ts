/**
 * ListTransactions (key 66): the transactions that this broker coordinates.
 *
 *  v1  durationFilter: only those that run for longer (KIP-994)
 *  v2  transactionalIdPattern, a regular expression (KIP-1152)
 */
import { array, int16, int32, int64, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const listTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: '0-2',
  flexible: '0+',
  request: {
    stateFilters: array('string'),
    producerIdFilters: array('int64'),
    durationFilter: int64('1+', { default: -1n }),
    transactionalIdPattern: string('2+', { nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    unknownStateFilters: array('string'),
    transactionStates: array({
      transactionalId: string(),
      producerId: int64(),
      transactionState: string(),
    }),
  },
})
