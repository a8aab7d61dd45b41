import type { EndTransaction } from '../../../application/use-cases/transactions/end-transaction.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { FENCED_SINCE, V2_SINCE, type endTxn } from '../apis/26-end-txn.ts'
import type { Handler } from '../handler.ts'
import { fencedCode } from './fenced-code.ts'

export function endTxnHandler(useCase: EndTransaction): Handler<RequestOf<typeof endTxn>, ResponseOf<typeof endTxn>> {
  return async ({ transactionalId, producerId, producerEpoch, committed }, { apiVersion }) => {
    const knowsV2 = apiVersion >= V2_SINCE
    const result = await useCase.execute({ transactionalId, producerId, producerEpoch, committed, knowsV2 })
    return {
      throttleTimeMs: 0,
      errorCode: fencedCode(result.error, apiVersion >= FENCED_SINCE),
      producerId: result.producerId,
      producerEpoch: result.producerEpoch,
    }
  }
}
