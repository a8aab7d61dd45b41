/** Stores the offsets that a group has got to, for members of the group and for consumers that never joined one. */
import type { ErrorName } from '../../../domain/errors.ts'
import { signOfCommit } from '../../../domain/groups/classic-membership.ts'
import {
  decideCommit,
  refuseCommit,
  type CommitCommand,
  type OffsetRules,
} from '../../../domain/groups/offset-rules.ts'
import type { ClassicGroups } from '../../classic-groups.ts'
import type { GroupCoordinator } from '../../group-coordinator.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import { commitKnown, type CommittedTopicResult, type PartitionErrors, type TopicOffsets } from './known-topics.ts'

export interface CommitOffsetsCommand extends Omit<CommitCommand, 'topics'> {
  readonly topics: readonly TopicOffsets[]
}

export class CommitOffsets {
  readonly #groups: GroupCoordinator
  readonly #classicGroups: ClassicGroups
  readonly #metadata: MetadataRepository
  readonly #rules: () => OffsetRules

  constructor(
    groups: GroupCoordinator,
    classicGroups: ClassicGroups,
    metadata: MetadataRepository,
    rules: () => OffsetRules,
  ) {
    this.#groups = groups
    this.#classicGroups = classicGroups
    this.#metadata = metadata
    this.#rules = rules
  }

  /** Answers for all partitions, in the order of the command. */
  async execute(command: CommitOffsetsCommand): Promise<readonly CommittedTopicResult[]> {
    return commitKnown(this.#metadata.image(), command.topics, (topics) => this.#commit({ ...command, topics }))
  }

  async #commit(command: CommitCommand): Promise<PartitionErrors> {
    const { groupId, memberId } = command
    const all = (error: ErrorName) => command.topics.map(({ partitions }) => partitions.map(() => error))
    const { error, answer } = await this.#groups.coordinator.run(groupId, (shard, nowMs) => {
      const group = shard.group(groupId)
      const refused = refuseCommit(group, command)
      if (refused !== null) return { records: [], answer: all(refused) }
      const { records, errors } = decideCommit(command, this.#rules(), nowMs)
      const classic = shard.classicGroup(groupId)
      const alive = classic === null ? [] : signOfCommit(classic, memberId)
      return { records, answer: errors, enact: () => this.#classicGroups.expect(groupId, alive) }
    })
    return error === null ? answer : all(error)
  }
}
