import type { AddOffsets } from '../../../application/use-cases/transactions/add-offsets.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { FENCED_SINCE, type addOffsetsToTxn } from '../apis/25-add-offsets-to-txn.ts'
import type { Handler } from '../handler.ts'
import { fencedCode } from './fenced-code.ts'

export function addOffsetsToTxnHandler(
  useCase: AddOffsets,
): Handler<RequestOf<typeof addOffsetsToTxn>, ResponseOf<typeof addOffsetsToTxn>> {
  return async ({ transactionalId, producerId, producerEpoch, groupId }, { apiVersion }) => {
    const error = await useCase.execute({ transactionalId, producerId, producerEpoch, groupId })
    return { throttleTimeMs: 0, errorCode: fencedCode(error, apiVersion >= FENCED_SINCE) }
  }
}
