import type { CreatePartitions } from '../../../application/use-cases/cluster/create-partitions.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { createPartitions } from '../apis/37-create-partitions.ts'
import type { Handler } from '../handler.ts'

export function createPartitionsHandler(
  useCase: CreatePartitions,
): Handler<RequestOf<typeof createPartitions>, ResponseOf<typeof createPartitions>> {
  return async (request) => {
    const answers = await useCase.execute(request)
    return {
      throttleTimeMs: 0,
      results: answers.map(({ name, error, message }) => ({
        name,
        errorCode: errorCode(error),
        errorMessage: message,
      })),
    }
  }
}
