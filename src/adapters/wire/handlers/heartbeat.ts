import type { ClassicGroups } from '../../../application/classic-groups.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { heartbeat } from '../apis/12-heartbeat.ts'
import type { Handler } from '../handler.ts'

export function heartbeatHandler(
  groups: Pick<ClassicGroups, 'heartbeat'>,
): Handler<RequestOf<typeof heartbeat>, ResponseOf<typeof heartbeat>> {
  return async ({ groupId, memberId, groupInstanceId, generationId }) => {
    const error = await groups.heartbeat({ groupId, memberId, groupInstanceId, generation: generationId })
    return { throttleTimeMs: 0, errorCode: errorCode(error) }
  }
}
