import type { CommitOffsets } from '../../../application/use-cases/groups/commit-offsets.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { EPOCHS_SINCE, IDS_SINCE, type offsetCommit } from '../apis/08-offset-commit.ts'
import type { Handler } from '../handler.ts'

export function offsetCommitHandler(
  useCase: CommitOffsets,
): Handler<RequestOf<typeof offsetCommit>, ResponseOf<typeof offsetCommit>> {
  return async (request, { apiVersion }) => {
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch, retentionTimeMs } = request
    const topics = await useCase.execute({
      groupId,
      memberId,
      groupInstanceId,
      generationOrEpoch: generationIdOrMemberEpoch,
      retentionTimeMs,
      knowsEpochs: apiVersion >= EPOCHS_SINCE,
      topics: request.topics.map(({ name, topicId, partitions }) => ({
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
          errorCode: errorCode(error),
        })),
      })),
    }
  }
}
