import type {
  DescribedProducers,
  DescribeProducers,
} from '../../../application/use-cases/transactions/describe-producers.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { describeProducers } from '../apis/61-describe-producers.ts'
import type { Handler } from '../handler.ts'

type Response = ResponseOf<typeof describeProducers>
type Partition = Response['topics'][number]['partitions'][number]

export function describeProducersHandler(
  useCase: DescribeProducers,
): Handler<RequestOf<typeof describeProducers>, Response> {
  return async ({ topics }) => ({
    throttleTimeMs: 0,
    topics: await Promise.all(
      topics.map(async ({ name, partitionIndexes }) => ({
        name,
        partitions: await Promise.all(
          partitionIndexes.map(async (index) => toPartition(index, await useCase.execute(name, index))),
        ),
      })),
    ),
  })
}

function toPartition(partitionIndex: number, { error, message, producers }: DescribedProducers): Partition {
  return {
    partitionIndex,
    errorCode: errorCode(error),
    errorMessage: message,
    activeProducers: producers.map((producer) => ({
      producerId: producer.producerId,
      producerEpoch: producer.epoch,
      lastSequence: producer.lastSequence,
      lastTimestamp: producer.timestamp,
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: producer.currentTxnFirstOffset,
    })),
  }
}
