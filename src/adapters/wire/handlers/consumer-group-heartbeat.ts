import type {
  ConsumerGroupHeartbeat,
  ConsumerGroupHeartbeatCommand,
} from '../../../application/use-cases/groups/consumer-group-heartbeat.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { OWN_MEMBER_ID_SINCE, type consumerGroupHeartbeat } from '../apis/68-consumer-group-heartbeat.ts'
import type { Handler, RequestContext } from '../handler.ts'

type Request = RequestOf<typeof consumerGroupHeartbeat>
type Response = ResponseOf<typeof consumerGroupHeartbeat>

export function consumerGroupHeartbeatHandler(useCase: ConsumerGroupHeartbeat): Handler<Request, Response> {
  return async (request, context) => {
    const answer = await useCase.execute(toCommand(request, context))
    if (answer.error !== null) {
      const { error, message } = answer
      return {
        throttleTimeMs: 0,
        errorCode: errorCode(error),
        errorMessage: message,
        memberEpoch: 0,
        heartbeatIntervalMs: 0,
      }
    }
    const { memberId, memberEpoch, heartbeatIntervalMs, assignment } = answer
    return {
      throttleTimeMs: 0,
      errorCode: errorCode('NONE'),
      memberId,
      memberEpoch,
      heartbeatIntervalMs,
      assignment: assignment === null ? null : { topicPartitions: assignment },
    }
  }
}

function toCommand(
  request: Request,
  { apiVersion, clientId, connection }: RequestContext,
): ConsumerGroupHeartbeatCommand {
  const { topicPartitions, ...fields } = request
  return {
    ...fields,
    owned: topicPartitions,
    clientId: clientId ?? '',
    clientHost: connection.clientHost,
    mayLackMemberId: apiVersion < OWN_MEMBER_ID_SINCE,
  }
}
