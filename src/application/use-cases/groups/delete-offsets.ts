/** Deletes committed offsets of a group, for topics that its members do not subscribe to (KIP-496). */
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import { decideOffsetDelete, refuseOffsetDelete } from '../../../domain/groups/offset-rules.ts'
import type { GroupCoordinator } from '../../group-coordinator.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface DeleteOffsetsCommand {
  readonly groupId: string
  readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[]
}

export type DeleteOffsetsResult =
  | { readonly error: KafkaError }
  | {
      readonly error: null
      /** One for each partition, in the order of the command. */
      readonly errors: readonly (readonly ErrorName[])[]
    }

export class DeleteOffsets {
  readonly #groups: GroupCoordinator
  readonly #metadata: MetadataRepository

  constructor(groups: GroupCoordinator, metadata: MetadataRepository) {
    this.#groups = groups
    this.#metadata = metadata
  }

  async execute({ groupId, topics }: DeleteOffsetsCommand): Promise<DeleteOffsetsResult> {
    if (groupId === '') return { error: 'INVALID_GROUP_ID' }
    const image = this.#metadata.image()
    const exists = (name: string, index: number) => image.topicsByName.get(name)?.partitions[index] !== undefined
    const { error, answer } = await this.#groups.coordinator.run<DeleteOffsetsResult>(groupId, (shard) => {
      const group = shard.group(groupId)
      const refused = refuseOffsetDelete(group)
      if (refused !== null) return { records: [], answer: { error: refused } }
      const decided = topics.map(({ name, partitions }) =>
        partitions.map((index) =>
          exists(name, index)
            ? decideOffsetDelete(shard, group!, name, index)
            : ({ records: [], error: 'UNKNOWN_TOPIC_OR_PARTITION' } as const),
        ),
      )
      return {
        records: decided.flatMap((ofTopic) => ofTopic.flatMap(({ records }) => records)),
        divisible: true,
        answer: { error: null, errors: decided.map((ofTopic) => ofTopic.map((each) => each.error)) },
      }
    })
    return error === null ? answer : { error }
  }
}
