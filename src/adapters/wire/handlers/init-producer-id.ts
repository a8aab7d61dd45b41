/** InitProducerId, versions 0 to 5. */
import type { InitProducerId } from '../../../application/use-cases/transactions/init-producer-id.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { FENCED_SINCE, type initProducerId } from '../apis/22-init-producer-id.ts'
import type { Handler } from '../handler.ts'
import { fencedCode } from './fenced-code.ts'

export function initProducerIdHandler(
  useCase: InitProducerId,
): Handler<RequestOf<typeof initProducerId>, ResponseOf<typeof initProducerId>> {
  return async ({ transactionalId, transactionTimeoutMs, producerId, producerEpoch }, { apiVersion }) => {
    const result = await useCase.execute({ transactionalId, transactionTimeoutMs, producerId, producerEpoch })
    return {
      throttleTimeMs: 0,
      errorCode: fencedCode(result.error, apiVersion >= FENCED_SINCE),
      producerId: result.producerId,
      producerEpoch: result.producerEpoch,
      ongoingTxnProducerId: -1n,
      ongoingTxnProducerEpoch: -1,
    }
  }
}
