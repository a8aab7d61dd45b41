/** OffsetForLeaderEpoch, versions 2 to 4. */
import type { OffsetForLeaderEpoch } from '../../../application/use-cases/records/offset-for-leader-epoch.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { offsetForLeaderEpoch } from '../apis/23-offset-for-leader-epoch.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof offsetForLeaderEpoch>
type Response = ResponseOf<typeof offsetForLeaderEpoch>

export function offsetForLeaderEpochHandler(useCase: OffsetForLeaderEpoch): Handler<Request, Response> {
  return async (request) => {
    const answers = await useCase.execute({ topics: request.topics })
    return {
      throttleTimeMs: 0,
      topics: answers.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ error, partition, leaderEpoch, endOffset }) => ({
          errorCode: errorCode(error),
          partition,
          leaderEpoch,
          endOffset,
        })),
      })),
    }
  }
}
