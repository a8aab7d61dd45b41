/** ListPartitionReassignments, version 0. */
import type { ListPartitionReassignments } from '../../../application/use-cases/cluster/list-partition-reassignments.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { listPartitionReassignments } from '../apis/46-list-partition-reassignments.ts'
import type { Handler } from '../handler.ts'

export function listPartitionReassignmentsHandler(
  useCase: ListPartitionReassignments,
): Handler<RequestOf<typeof listPartitionReassignments>, ResponseOf<typeof listPartitionReassignments>> {
  return ({ topics }) => {
    const asked = topics?.map(({ name, partitionIndexes }) => ({ name, partitions: partitionIndexes })) ?? null
    return { throttleTimeMs: 0, errorCode: errorCode('NONE'), errorMessage: null, topics: [...useCase.execute(asked)] }
  }
}
