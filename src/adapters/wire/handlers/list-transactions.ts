import type { ListTransactions } from '../../../application/use-cases/transactions/list-transactions.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { listTransactions } from '../apis/66-list-transactions.ts'
import type { Handler } from '../handler.ts'

export function listTransactionsHandler(
  useCase: ListTransactions,
): Handler<RequestOf<typeof listTransactions>, ResponseOf<typeof listTransactions>> {
  return async ({ stateFilters, producerIdFilters, durationFilter, transactionalIdPattern }) => {
    const result = await useCase.execute({
      states: stateFilters,
      producerIds: producerIdFilters,
      longerThanMs: durationFilter,
      pattern: transactionalIdPattern,
    })
    if (result.error !== null) {
      return {
        throttleTimeMs: 0,
        errorCode: errorCode(result.error),
        unknownStateFilters: [],
        transactionStates: [],
      }
    }
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      unknownStateFilters: [...result.unknownStates],
      transactionStates: result.transactions.map(({ transactionalId, producerId, state }) => ({
        transactionalId,
        producerId,
        transactionState: state,
      })),
    }
  }
}
