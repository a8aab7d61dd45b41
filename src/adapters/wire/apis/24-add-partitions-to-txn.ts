/**
 * AddPartitionsToTxn (key 24): a transaction takes in partitions.
 *
 *  v1  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v2  PRODUCER_FENCED instead of INVALID_PRODUCER_EPOCH (KIP-588)
 *  v3  flexible
 *  v4  several transactions at once, from brokers that verify (KIP-890); clients stay below
 *  v5  TRANSACTION_ABORTABLE may be answered (KIP-890)
 */
import { array, bool, int16, int32, int64, string } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** From this version on clients know PRODUCER_FENCED (KIP-588). */
export const FENCED_SINCE = 2
/** From this version on brokers ask for several transactions at once (KIP-890). */
export const BATCHED_SINCE = 4

const addPartitionsToTxnTopic = {
  name: string(),
  partitions: array('int32'),
}

const addPartitionsToTxnPartitionResult = {
  partitionIndex: int32(),
  partitionErrorCode: int16(),
}

const addPartitionsToTxnTopicResult = {
  name: string(),
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
}

export const addPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: '0-5',
  flexible: '3+',
  request: {
    transactions: array('4+', {
      transactionalId: string(),
      producerId: int64(),
      producerEpoch: int16(),
      verifyOnly: bool(),
      topics: array(addPartitionsToTxnTopic),
    }),
    v3AndBelowTransactionalId: string('0-3'),
    v3AndBelowProducerId: int64('0-3'),
    v3AndBelowProducerEpoch: int16('0-3'),
    v3AndBelowTopics: array('0-3', addPartitionsToTxnTopic),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16('4+', { ignorable: true }),
    resultsByTransaction: array('4+', {
      transactionalId: string(),
      topicResults: array(addPartitionsToTxnTopicResult),
    }),
    resultsByTopicV3AndBelow: array('0-3', addPartitionsToTxnTopicResult),
  },
})
