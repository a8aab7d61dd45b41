/** ListOffsets, versions 1 to 11. Which of the special timestamps a version knows is said here. */
import {
  EARLIEST,
  EARLIEST_LOCAL,
  EARLIEST_PENDING_UPLOAD,
  LATEST_TIERED,
  type ListOffsets,
  type ListedTopic,
  MAX_TIMESTAMP,
} from '../../../application/use-cases/records/list-offsets.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import {
  LEADER_EPOCH_SINCE,
  MAX_TIMESTAMP_SINCE,
  EARLIEST_LOCAL_SINCE,
  LATEST_TIERED_SINCE,
  PENDING_UPLOAD_SINCE,
  type listOffsets,
} from '../apis/02-list-offsets.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof listOffsets>
type Response = ResponseOf<typeof listOffsets>

/** Since which version the timestamps down to here are known, newest first. */
const timestampsSince: readonly (readonly [version: number, lowest: bigint])[] = [
  [PENDING_UPLOAD_SINCE, EARLIEST_PENDING_UPLOAD],
  [LATEST_TIERED_SINCE, LATEST_TIERED],
  [EARLIEST_LOCAL_SINCE, EARLIEST_LOCAL],
  [MAX_TIMESTAMP_SINCE, MAX_TIMESTAMP],
]

export function listOffsetsHandler(useCase: ListOffsets): Handler<Request, Response> {
  return async (request, context) => {
    const topics = await useCase.execute({
      replicaId: request.replicaId,
      isolationLevel: request.isolationLevel,
      lowestTimestamp: lowestTimestamp(context.apiVersion),
      topics: request.topics,
    })
    return toResponse(topics, context.apiVersion >= LEADER_EPOCH_SINCE)
  }
}

function lowestTimestamp(apiVersion: number): bigint {
  return timestampsSince.find(([since]) => apiVersion >= since)?.[1] ?? EARLIEST
}

function toResponse(topics: readonly ListedTopic[], tellsEpoch: boolean): Response {
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, error, timestamp, offset, leaderEpoch }) => ({
        partitionIndex,
        errorCode: errorCode(error),
        timestamp,
        offset,
        ...(tellsEpoch ? { leaderEpoch } : {}),
      })),
    })),
  }
}
