import type { CommitTransactionalOffsets } from '../../../application/use-cases/groups/commit-transactional-offsets.ts'
import { errorCode, type ErrorName } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { txnOffsetCommit } from '../apis/28-txn-offset-commit.ts'
import type { Handler } from '../handler.ts'

/** Older clients fail when they are told that the coordinator is loading. */
const LOADING_SINCE = 2
/** KIP-890: from this version on TRANSACTION_ABORTABLE is known … */
const ABORTABLE_SINCE = 4
/** … and from this one on the commit adds the group to the transaction. */
const ADDS_GROUP_SINCE = 5
/** From this version on topics go by their ids. */
const IDS_SINCE = 6

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
