import type { JoinGroup } from '../../../application/use-cases/groups/join-group.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import {
  REBALANCE_TIMEOUT_SINCE,
  MEMBER_ID_REQUIRED_SINCE,
  PROTOCOL_NAME_NULLABLE_SINCE,
  SKIP_ASSIGNMENT_SINCE,
  type joinGroup,
} from '../apis/11-join-group.ts'
import type { Handler } from '../handler.ts'

export function joinGroupHandler(
  useCase: JoinGroup,
): Handler<RequestOf<typeof joinGroup>, ResponseOf<typeof joinGroup>> {
  return async (request, { apiVersion, clientId, connection }) => {
    const { sessionTimeoutMs, rebalanceTimeoutMs, groupId, memberId, groupInstanceId } = request
    const answer = await useCase.execute({
      groupId,
      memberId,
      groupInstanceId,
      clientId: clientId ?? '',
      clientHost: connection.clientHost,
      sessionTimeoutMs,
      rebalanceTimeoutMs: apiVersion >= REBALANCE_TIMEOUT_SINCE ? rebalanceTimeoutMs : sessionTimeoutMs,
      protocolType: request.protocolType,
      protocols: request.protocols,
      reason: request.reason,
      requiresMemberId: apiVersion >= MEMBER_ID_REQUIRED_SINCE,
      canSkipAssignment: apiVersion >= SKIP_ASSIGNMENT_SINCE,
    })
    return {
      throttleTimeMs: 0,
      errorCode: errorCode(answer.error),
      generationId: answer.generation,
      protocolType: answer.protocolType,
      protocolName: answer.protocol ?? (apiVersion >= PROTOCOL_NAME_NULLABLE_SINCE ? null : ''),
      leader: answer.leader,
      skipAssignment: answer.skipAssignment,
      memberId: answer.memberId,
      members: answer.members,
    }
  }
}
