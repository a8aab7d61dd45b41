import type { ListGroups } from '../../../application/use-cases/groups/list-groups.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { listGroups } from '../apis/16-list-groups.ts'
import type { Handler } from '../handler.ts'

export function listGroupsHandler(
  useCase: ListGroups,
): Handler<RequestOf<typeof listGroups>, ResponseOf<typeof listGroups>> {
  return async ({ statesFilter, typesFilter }) => {
    const result = await useCase.execute({ states: statesFilter, types: typesFilter })
    if (result.error !== null) return { throttleTimeMs: 0, errorCode: errorCode(result.error), groups: [] }
    const groups = result.groups.map(({ groupId, protocolType, state, type }) => ({
      groupId,
      protocolType,
      groupState: state,
      groupType: type,
    }))
    return { throttleTimeMs: 0, errorCode: 0, groups }
  }
}
