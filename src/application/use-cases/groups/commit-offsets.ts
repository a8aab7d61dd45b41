/** Stores the offsets that a group has got to, for members of the group and for consumers that never joined one. */
import type { ClusterImage, TopicImage } from '../../../domain/cluster/cluster-image.ts'
import type { ErrorName } from '../../../domain/errors.ts'
import { signOfCommit } from '../../../domain/groups/classic-membership.ts'
import {
  decideCommit,
  refuseCommit,
  type CommitCommand,
  type CommittedTopic,
  type OffsetRules,
} from '../../../domain/groups/offset-rules.ts'
import type { Uuid } from '../../../domain/uuid.ts'
import type { ClassicGroups } from '../../classic-groups.ts'
import type { GroupCoordinator } from '../../group-coordinator.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

/** A topic by its name, or by its id when the name is null. */
export interface TopicOffsets extends Omit<CommittedTopic, 'name'> {
  readonly name: string | null
}

export interface CommitOffsetsCommand extends Omit<CommitCommand, 'topics'> {
  readonly topics: readonly TopicOffsets[]
}

export interface CommittedTopicResult {
  readonly name: string | null
  readonly topicId: Uuid
  readonly partitions: readonly { readonly partition: number; readonly error: ErrorName }[]
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
    const image = this.#metadata.image()
    const topics = command.topics.map((topic) => resolve(image, topic))
    const known = topics.flatMap(({ known }) => (known === null ? [] : [known]))
    const errors = known.length === 0 ? [] : await this.#commit({ ...command, topics: known })
    let next = 0
    return topics.map(({ asked, known, problems }) => {
      const ofKnown = known === null ? [] : errors[next++]!
      let at = 0
      const partitions = asked.partitions.map(({ partition }, i) => ({
        partition,
        error: problems[i] ?? ofKnown[at++]!,
      }))
      return { name: asked.name, topicId: asked.topicId, partitions }
    })
  }

  async #commit(command: CommitCommand): Promise<readonly (readonly ErrorName[])[]> {
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

interface ResolvedTopic {
  readonly asked: TopicOffsets
  /** What of it exists; null = nothing. */
  readonly known: CommittedTopic | null
  /** One for each partition asked for; null = it exists. */
  readonly problems: readonly (ErrorName | null)[]
}

function resolve(image: ClusterImage, asked: TopicOffsets): ResolvedTopic {
  const { name, topicId, partitions } = asked
  const topic: TopicImage | undefined = name === null ? image.topicsById.get(topicId) : image.topicsByName.get(name)
  if (topic === undefined) {
    const problem = name === null ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
    return { asked, known: null, problems: partitions.map(() => problem) }
  }
  const exists = ({ partition }: { readonly partition: number }) => topic.partitions[partition] !== undefined
  const there = partitions.filter(exists)
  return {
    asked,
    known: there.length === 0 ? null : { name: topic.name, topicId: topic.id, partitions: there },
    problems: partitions.map((partition) => (exists(partition) ? null : 'UNKNOWN_TOPIC_OR_PARTITION')),
  }
}
