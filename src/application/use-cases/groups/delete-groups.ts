/** Deletes groups without members, with their offsets. */
import type { ErrorName } from '../../../domain/errors.ts'
import { decideGroupDeletion } from '../../../domain/groups/offset-rules.ts'
import type { GroupCoordinator } from '../../group-coordinator.ts'

export interface DeletedGroup {
  readonly groupId: string
  readonly error: ErrorName
}

export class DeleteGroups {
  readonly #groups: GroupCoordinator

  constructor(groups: GroupCoordinator) {
    this.#groups = groups
  }

  /** One answer for each id, in their order; an id given twice counts once, as on a real broker (4.3.1). */
  execute(groupIds: readonly string[]): Promise<readonly DeletedGroup[]> {
    return Promise.all([...new Set(groupIds)].map((groupId) => this.#delete(groupId)))
  }

  async #delete(groupId: string): Promise<DeletedGroup> {
    const { coordinator, deadlines } = this.#groups
    const { error, answer } = await coordinator.run<ErrorName>(groupId, (shard) => {
      const group = shard.group(groupId)
      if (group === null) return { records: [], answer: 'GROUP_ID_NOT_FOUND' }
      const refused = group.refuseDelete()
      if (refused !== null) return { records: [], answer: refused }
      const records = decideGroupDeletion(shard, group)
      return { records, divisible: true, answer: 'NONE', enact: () => deadlines.drop(groupId) }
    })
    return { groupId, error: error ?? answer }
  }
}
