/** InitProducerId, versions 0 to 5. */
import type { InitProducerId } from '../../../application/use-cases/records/init-producer-id.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { initProducerId } from '../apis/22-init-producer-id.ts'
import type { Handler } from '../handler.ts'

export function initProducerIdHandler(
  useCase: InitProducerId,
): Handler<RequestOf<typeof initProducerId>, ResponseOf<typeof initProducerId>> {
  return async ({ transactionalId, producerId, producerEpoch }) => {
    const result = await useCase.execute({ transactionalId, producerId, producerEpoch })
    return {
      throttleTimeMs: 0,
      errorCode: errorCode(result.error),
      producerId: result.producerId,
      producerEpoch: result.producerEpoch,
      ongoingTxnProducerId: -1n,
      ongoingTxnProducerEpoch: -1,
    }
  }
}
