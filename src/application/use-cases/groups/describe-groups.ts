/** State and members of classic groups. */
import type { KafkaError } from '../../../domain/errors.ts'
import { metadataFor, NO_BYTES, type ClassicGroup } from '../../../domain/groups/classic-group.ts'
import type { GroupShard } from '../../../domain/groups/group-shard.ts'
import type { GroupCoordinator } from '../../group-coordinator.ts'

export interface DescribedClassicGroup {
  readonly groupId: string
  readonly error: null
  readonly state: string
  readonly protocolType: string
  /** Told of stable groups only, as is what members say to it. */
  readonly protocol: string
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
    readonly clientHost: string
    readonly metadata: Uint8Array
    readonly assignment: Uint8Array
  }[]
}

export interface UndescribedGroup {
  readonly groupId: string
  readonly error: KafkaError
  readonly message: string | null
}

export class DescribeGroups {
  readonly #groups: GroupCoordinator

  constructor(groups: GroupCoordinator) {
    this.#groups = groups
  }

  /** One answer for each id, in their order. */
  execute(groupIds: readonly string[]): Promise<readonly (DescribedClassicGroup | UndescribedGroup)[]> {
    return Promise.all(groupIds.map((groupId) => this.#describe(groupId)))
  }

  async #describe(groupId: string): Promise<DescribedClassicGroup | UndescribedGroup> {
    const { error, answer } = await this.#groups.coordinator.run(groupId, (shard) => ({
      records: [],
      answer: describe(shard, groupId),
    }))
    return error === null ? answer : { groupId, error, message: null }
  }
}

function describe(shard: GroupShard, groupId: string): DescribedClassicGroup | UndescribedGroup {
  const classic = shard.classicGroup(groupId)
  if (classic !== null) return describeClassic(classic)
  const message =
    shard.group(groupId) === null ? `Group ${groupId} not found.` : `Group ${groupId} is not a classic group.`
  return { groupId, error: 'GROUP_ID_NOT_FOUND', message }
}

function describeClassic(group: ClassicGroup): DescribedClassicGroup {
  const protocol = group.state === 'Stable' ? (group.protocol ?? '') : null
  return {
    groupId: group.groupId,
    error: null,
    state: group.state,
    protocolType: group.protocolType,
    protocol: protocol ?? '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      metadata: protocol === null ? NO_BYTES : metadataFor(member, protocol),
      assignment: member.assignment,
    })),
  }
}
