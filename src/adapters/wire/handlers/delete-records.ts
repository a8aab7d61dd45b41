/** DeleteRecords, versions 0 to 2. */
import type { DeleteRecords } from '../../../application/use-cases/records/delete-records.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { deleteRecords } from '../apis/21-delete-records.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof deleteRecords>
type Response = ResponseOf<typeof deleteRecords>

export function deleteRecordsHandler(useCase: DeleteRecords): Handler<Request, Response> {
  return async (request) => {
    const topics = await useCase.execute({ topics: request.topics })
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, lowWatermark, error }) => ({
          partitionIndex,
          lowWatermark,
          errorCode: errorCode(error),
        })),
      })),
    }
  }
}
