/** ConsumerGroupDescribe (KIP-848): groups of the consumer protocol with their epochs, members and assignments. */
import type { ErrorName } from '../../../domain/errors.ts'
import {
  describeConsumerGroup,
  type DescribedConsumerGroup,
} from '../../../domain/groups/consumer-group-description.ts'
import type { GroupCoordinator } from '../../group-coordinator.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface ConsumerGroupResult {
  readonly groupId: string
  readonly error: ErrorName
  readonly message: string | null
  /** null when there is an error. */
  readonly group: DescribedConsumerGroup | null
}

export class DescribeConsumerGroups {
  readonly #groups: GroupCoordinator
  readonly #metadata: MetadataRepository
  readonly #assignors: () => readonly string[]

  constructor(groups: GroupCoordinator, metadata: MetadataRepository, assignors: () => readonly string[]) {
    this.#groups = groups
    this.#metadata = metadata
    this.#assignors = assignors
  }

  execute(groupIds: readonly string[]): Promise<readonly ConsumerGroupResult[]> {
    return Promise.all(groupIds.map((groupId) => this.#describe(groupId)))
  }

  async #describe(groupId: string): Promise<ConsumerGroupResult> {
    if (groupId === '') return refused(groupId, 'INVALID_GROUP_ID', null)
    const { error, answer } = await this.#groups.coordinator.run(groupId, (shard) => ({
      records: [],
      answer: this.#described(groupId, shard.consumerGroup(groupId), shard.group(groupId) === null),
    }))
    return error === null ? answer : refused(groupId, error, null)
  }

  #described(
    groupId: string,
    group: Parameters<typeof describeConsumerGroup>[0] | null,
    isUnknown: boolean,
  ): ConsumerGroupResult {
    if (group === null) {
      const message = isUnknown ? `Group ${groupId} not found.` : `Group ${groupId} is not a consumer group.`
      return refused(groupId, 'GROUP_ID_NOT_FOUND', message)
    }
    const described = describeConsumerGroup(group, this.#metadata.image(), this.#assignors())
    return { groupId, error: 'NONE', message: null, group: described }
  }
}

function refused(groupId: string, error: ErrorName, message: string | null): ConsumerGroupResult {
  return { groupId, error, message, group: null }
}
