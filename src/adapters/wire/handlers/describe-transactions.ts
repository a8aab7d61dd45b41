import type {
  DescribedTransaction,
  DescribeTransactions,
} from '../../../application/use-cases/transactions/describe-transactions.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { describeTransactions } from '../apis/65-describe-transactions.ts'
import type { Handler } from '../handler.ts'

type Response = ResponseOf<typeof describeTransactions>

export function describeTransactionsHandler(
  useCase: DescribeTransactions,
): Handler<RequestOf<typeof describeTransactions>, Response> {
  return async ({ transactionalIds }) => {
    const described = await useCase.execute(transactionalIds)
    return { throttleTimeMs: 0, transactionStates: described.map(toState) }
  }
}

function toState(described: DescribedTransaction): Response['transactionStates'][number] {
  const { transactionalId, error } = described
  if (error !== null) {
    return {
      errorCode: errorCode(error),
      transactionalId,
      transactionState: '',
      transactionTimeoutMs: 0,
      transactionStartTimeMs: 0n,
      producerId: 0n,
      producerEpoch: 0,
      topics: [],
    }
  }
  const { state, timeoutMs, startMs, producerId, producerEpoch, partitions } = described.transaction
  return {
    errorCode: 0,
    transactionalId,
    transactionState: state,
    transactionTimeoutMs: timeoutMs,
    transactionStartTimeMs: startMs,
    producerId,
    producerEpoch,
    topics: [...partitions].map(([topic, ids]) => ({ topic, partitions: [...ids] })),
  }
}
