import type { CommitTransactionalOffsets } from '../../../application/use-cases/groups/commit-transactional-offsets.ts'
import { errorCode, type ErrorName } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import {
  LOADING_SINCE,
  ABORTABLE_SINCE,
  ADDS_GROUP_SINCE,
  IDS_SINCE,
  type txnOffsetCommit,
} from '../apis/28-txn-offset-commit.ts'
import type { Handler } from '../handler.ts'

export function txnOffsetCommitHandler(
  useCase: CommitTransactionalOffsets,
): Handler<RequestOf<typeof txnOffsetCommit>, ResponseOf<typeof txnOffsetCommit>> {
  return async ({ generationIdOrMemberEpoch, topics: asked, ...request }, { apiVersion }) => {
    const topics = await useCase.execute({
      ...request,
      generationOrEpoch: generationIdOrMemberEpoch,
      addsGroup: apiVersion >= ADDS_GROUP_SINCE,
      knowsAbortable: apiVersion >= ABORTABLE_SINCE,
      topics: asked.map(({ name, topicId, partitions }) => ({
        name: apiVersion >= IDS_SINCE ? null : name,
        topicId,
        partitions: partitions.map((each) => ({
          partition: each.partitionIndex,
          offset: each.committedOffset,
          leaderEpoch: each.committedLeaderEpoch,
          metadata: each.committedMetadata,
        })),
      })),
    })
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, topicId, partitions }) => ({
        name: name ?? '',
        topicId,
        partitions: partitions.map(({ partition, error }) => ({
          partitionIndex: partition,
          errorCode: codeFor(error, apiVersion),
        })),
      })),
    }
  }
}

function codeFor(error: ErrorName, apiVersion: number): number {
  const isTooNew = error === 'COORDINATOR_LOAD_IN_PROGRESS' && apiVersion < LOADING_SINCE
  return errorCode(isTooNew ? 'COORDINATOR_NOT_AVAILABLE' : error)
}
