import type { DeleteTopics } from '../../../application/use-cases/cluster/delete-topics.ts'
import type { ErrorName } from '../../../domain/errors.ts'
import { errorCode } from '../../../domain/errors.ts'
import { ZERO_UUID } from '../../../domain/uuid.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { DELETION_DISABLED_SINCE, IDS_SINCE, type deleteTopics } from '../apis/20-delete-topics.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof deleteTopics>
type Response = ResponseOf<typeof deleteTopics>

export function deleteTopicsHandler(useCase: DeleteTopics): Handler<Request, Response> {
  return async (request, { apiVersion }) => {
    const { timeoutMs } = request
    const answers = await useCase.execute({ topics: toReferences(request, apiVersion), timeoutMs })
    return {
      throttleTimeMs: 0,
      responses: answers.map(({ name, topicId, error, message }) => ({
        name,
        topicId,
        errorCode: errorCode(knownError(error, apiVersion)),
        errorMessage: message,
      })),
    }
  }
}

function toReferences({ topics, topicNames }: Request, version: number) {
  return version >= IDS_SINCE ? topics : topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
}

function knownError(error: ErrorName, version: number): ErrorName {
  return error === 'TOPIC_DELETION_DISABLED' && version < DELETION_DISABLED_SINCE ? 'INVALID_REQUEST' : error
}
