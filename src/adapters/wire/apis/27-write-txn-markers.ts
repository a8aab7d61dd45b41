/**
 * WriteTxnMarkers (key 27): a transaction coordinator has commit or abort markers written.
 *
 *  v1  the oldest that is served; flexible
 *  v2  transactionVersion of the transaction (KIP-1228)
 */
import { array, bool, int16, int32, int64, int8, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const writeTxnMarkers = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: '1-2',
  flexible: '1+',
  request: {
    markers: array({
      producerId: int64(),
      producerEpoch: int16(),
      transactionResult: bool(),
      topics: array({
        name: string(),
        partitionIndexes: array('int32'),
      }),
      coordinatorEpoch: int32(),
      transactionVersion: int8('2+', { ignorable: true }),
    }),
  },
  response: {
    markers: array({
      producerId: int64(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          errorCode: int16(),
        }),
      }),
    }),
  },
})
