import type { DeleteGroups } from '../../../application/use-cases/groups/delete-groups.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { deleteGroups } from '../apis/42-delete-groups.ts'
import type { Handler } from '../handler.ts'

export function deleteGroupsHandler(
  useCase: DeleteGroups,
): Handler<RequestOf<typeof deleteGroups>, ResponseOf<typeof deleteGroups>> {
  return async ({ groupsNames }) => {
    const results = await useCase.execute(groupsNames)
    return {
      throttleTimeMs: 0,
      results: results.map(({ groupId, error }) => ({ groupId, errorCode: errorCode(error) })),
    }
  }
}
