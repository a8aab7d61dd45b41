import type { ClassicGroups } from '../../../application/classic-groups.ts'
import { syncError } from '../../../domain/groups/classic-decision.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { PROTOCOL_REQUIRED_SINCE, type syncGroup } from '../apis/14-sync-group.ts'
import type { Handler } from '../handler.ts'

export function syncGroupHandler(
  groups: Pick<ClassicGroups, 'sync'>,
): Handler<RequestOf<typeof syncGroup>, ResponseOf<typeof syncGroup>> {
  return async (request, { apiVersion }) => {
    const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName } = request
    const isSilent = apiVersion >= PROTOCOL_REQUIRED_SINCE && (protocolType === null || protocolName === null)
    const answer = isSilent
      ? syncError('INCONSISTENT_GROUP_PROTOCOL')
      : await groups.sync({
          groupId,
          memberId,
          groupInstanceId,
          generation: generationId,
          protocolType,
          protocol: protocolName,
          assignments: new Map(request.assignments.map((each) => [each.memberId, each.assignment])),
        })
    return {
      throttleTimeMs: 0,
      errorCode: errorCode(answer.error),
      protocolType: answer.protocolType,
      protocolName: answer.protocol,
      assignment: answer.assignment,
    }
  }
}
