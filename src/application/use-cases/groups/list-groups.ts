/** The groups that this broker coordinates, of all types. */
import type { KafkaError } from '../../../domain/errors.ts'
import type { GroupType } from '../../../domain/groups/group.ts'
import type { GroupCoordinator } from '../../group-coordinator.ts'

export interface ListGroupsCommand {
  /** Empty = all; compared without regard to case, as the types are. */
  readonly states: readonly string[]
  readonly types: readonly string[]
}

export interface ListedGroup {
  readonly groupId: string
  readonly protocolType: string
  readonly state: string
  readonly type: GroupType
}

export type ListGroupsResult =
  { readonly error: KafkaError } | { readonly error: null; readonly groups: readonly ListedGroup[] }

export class ListGroups {
  readonly #groups: GroupCoordinator

  constructor(groups: GroupCoordinator) {
    this.#groups = groups
  }

  async execute({ states, types }: ListGroupsCommand): Promise<ListGroupsResult> {
    const { coordinator } = this.#groups
    if (coordinator.isLoading) return { error: 'COORDINATOR_LOAD_IN_PROGRESS' }
    const admits = filter(states, types)
    const listed = await Promise.all(
      coordinator.activePartitions().map((partition) =>
        coordinator.runAt(partition, (shard) => {
          const groups = [...shard.groups()].map(({ groupId, protocolType, stateName, type }): ListedGroup => ({
            groupId,
            protocolType,
            state: stateName,
            type,
          }))
          return { records: [], answer: groups.filter(admits) }
        }),
      ),
    )
    // A partition that has gone meanwhile has nothing to list.
    return { error: null, groups: listed.flatMap(({ answer }) => answer ?? []) }
  }
}

function filter(states: readonly string[], types: readonly string[]): (group: ListedGroup) => boolean {
  const wantedStates = new Set(states.map((state) => state.toLowerCase()))
  const wantedTypes = new Set(types.map((type) => type.toLowerCase()))
  return ({ state, type }) =>
    (wantedStates.size === 0 || wantedStates.has(state.toLowerCase())) &&
    (wantedTypes.size === 0 || wantedTypes.has(type))
}
