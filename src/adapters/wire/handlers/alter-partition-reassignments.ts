/** AlterPartitionReassignments, versions 0 and 1. */
import type { AlterPartitionReassignments } from '../../../application/use-cases/cluster/alter-partition-reassignments.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { alterPartitionReassignments } from '../apis/45-alter-partition-reassignments.ts'
import type { Handler } from '../handler.ts'

export function alterPartitionReassignmentsHandler(
  useCase: AlterPartitionReassignments,
): Handler<RequestOf<typeof alterPartitionReassignments>, ResponseOf<typeof alterPartitionReassignments>> {
  return async (request) => {
    const { error, topics } = await useCase.execute(request)
    return {
      throttleTimeMs: 0,
      allowReplicationFactorChange: request.allowReplicationFactorChange,
      errorCode: errorCode(error),
      // the empty text is what a real broker answers who is asked for nothing (observed on 4.3.1)
      errorMessage: request.topics.length === 0 ? '' : null,
      responses: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, error, message }) => ({
          partitionIndex,
          errorCode: errorCode(error),
          errorMessage: message,
        })),
      })),
    }
  }
}
