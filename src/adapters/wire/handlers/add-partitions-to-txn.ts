import type { AddPartitions } from '../../../application/use-cases/transactions/add-partitions.ts'
import type { ErrorName } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { FENCED_SINCE, BATCHED_SINCE, type addPartitionsToTxn } from '../apis/24-add-partitions-to-txn.ts'
import type { Handler } from '../handler.ts'
import { fencedCode } from './fenced-code.ts'

type Request = RequestOf<typeof addPartitionsToTxn>
type Transaction = Request['transactions'][number]

export function addPartitionsToTxnHandler(
  useCase: AddPartitions,
): Handler<Request, ResponseOf<typeof addPartitionsToTxn>> {
  return async (request, { apiVersion }) => {
    const isBatched = apiVersion >= BATCHED_SINCE
    const transactions = isBatched ? request.transactions : [soleTransaction(request)]
    const results = await useCase.execute({ transactions: transactions.map(toCommand), knowsV2: isBatched })
    const knowsFenced = apiVersion >= FENCED_SINCE
    const topics = transactions.map((each, i) => toTopics(each, results[i]!, knowsFenced))
    if (!isBatched) return { throttleTimeMs: 0, resultsByTopicV3AndBelow: topics[0]! }
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      resultsByTransaction: transactions.map(({ transactionalId }, i) => ({
        transactionalId,
        topicResults: topics[i]!,
      })),
    }
  }
}

function soleTransaction(request: Request): Transaction {
  return {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics,
  }
}

function toCommand({ topics, ...transaction }: Transaction) {
  const partitions = topics.flatMap(({ name, partitions }) =>
    partitions.map((partition) => ({ topic: name, partition })),
  )
  return { ...transaction, partitions }
}

function toTopics({ topics }: Transaction, errors: readonly ErrorName[], knowsFenced: boolean) {
  let at = 0
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: fencedCode(errors[at++]!, knowsFenced),
    })),
  }))
}
