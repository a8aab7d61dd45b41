import type { DeleteOffsets } from '../../../application/use-cases/groups/delete-offsets.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { offsetDelete } from '../apis/47-offset-delete.ts'
import type { Handler } from '../handler.ts'

export function offsetDeleteHandler(
  useCase: DeleteOffsets,
): Handler<RequestOf<typeof offsetDelete>, ResponseOf<typeof offsetDelete>> {
  return async ({ groupId, topics }) => {
    const result = await useCase.execute({
      groupId,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => partitionIndex),
      })),
    })
    if (result.error !== null) return { throttleTimeMs: 0, errorCode: errorCode(result.error), topics: [] }
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      topics: topics.map(({ name, partitions }, t) => ({
        name,
        partitions: partitions.map(({ partitionIndex }, p) => ({
          partitionIndex,
          errorCode: errorCode(result.errors[t]![p]!),
        })),
      })),
    }
  }
}
