import type { ClassicGroups } from '../../../application/classic-groups.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { BATCHED_SINCE, type leaveGroup } from '../apis/13-leave-group.ts'
import type { Handler } from '../handler.ts'

export function leaveGroupHandler(
  groups: Pick<ClassicGroups, 'leave'>,
): Handler<RequestOf<typeof leaveGroup>, ResponseOf<typeof leaveGroup>> {
  return async (request, { apiVersion }) => {
    const isBatched = apiVersion >= BATCHED_SINCE
    const single = { memberId: request.memberId, groupInstanceId: null, reason: null }
    const left = await groups.leave(request.groupId, isBatched ? request.members : [single])
    if (typeof left === 'string') return { throttleTimeMs: 0, errorCode: errorCode(left), members: [] }
    if (!isBatched) return { throttleTimeMs: 0, errorCode: errorCode(left[0]!.error) }
    const members = left.map(({ memberId, groupInstanceId, error }) => ({
      memberId,
      groupInstanceId,
      errorCode: errorCode(error),
    }))
    return { throttleTimeMs: 0, errorCode: 0, members }
  }
}
