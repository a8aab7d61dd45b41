import type { WriteMarkers } from '../../../application/use-cases/transactions/write-markers.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { writeTxnMarkers } from '../apis/27-write-txn-markers.ts'
import type { Handler } from '../handler.ts'

export function writeTxnMarkersHandler(
  useCase: WriteMarkers,
): Handler<RequestOf<typeof writeTxnMarkers>, ResponseOf<typeof writeTxnMarkers>> {
  return async (request) => ({
    markers: await Promise.all(
      request.markers.map(async ({ transactionResult, topics, ...marker }) => {
        const written = await useCase.execute({
          ...marker,
          committed: transactionResult,
          topics: topics.map(({ name, partitionIndexes }) => ({ name, partitions: partitionIndexes })),
        })
        return {
          producerId: marker.producerId,
          topics: written.map(({ name, partitions }) => ({
            name,
            partitions: partitions.map(({ partition, error }) => ({
              partitionIndex: partition,
              errorCode: errorCode(error),
            })),
          })),
        }
      }),
    ),
  })
}
