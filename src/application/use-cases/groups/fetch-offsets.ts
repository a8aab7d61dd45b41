/** Reads the offsets that groups have committed. */
import type { ClusterImage } from '../../../domain/cluster/cluster-image.ts'
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import type { CommittedOffset } from '../../../domain/groups/committed-offsets.ts'
import { fetchOffset } from '../../../domain/groups/offset-rules.ts'
import type { GroupShard } from '../../../domain/groups/group-shard.ts'
import { ZERO_UUID, type Uuid } from '../../../domain/uuid.ts'
import type { GroupCoordinator } from '../../group-coordinator.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

/** A topic by its name, or by its id when the name is null. */
export interface AskedTopic {
  readonly name: string | null
  readonly topicId: Uuid
  readonly partitions: readonly number[]
}

export interface FetchOffsetsCommand {
  readonly groupId: string
  /** null and -1 = nobody in particular. */
  readonly memberId: string | null
  readonly memberEpoch: number
  /** `all`: whatever is committed; `all by id`: of topics that still exist. */
  readonly topics: readonly AskedTopic[] | 'all' | 'all by id'
  /** Say where open transactions have committed offsets, instead of the offsets before them (KIP-447). */
  readonly requireStable: boolean
}

export interface FetchedTopic {
  readonly name: string
  readonly topicId: Uuid
  readonly partitions: readonly FetchedPartition[]
}

export interface FetchedPartition {
  readonly partition: number
  readonly error: ErrorName
  /** null = there is none, or it is not told. */
  readonly offset: CommittedOffset | null
}

export type FetchOffsetsResult =
  { readonly error: KafkaError } | { readonly error: null; readonly topics: readonly FetchedTopic[] }

export class FetchOffsets {
  readonly #groups: GroupCoordinator
  readonly #metadata: MetadataRepository

  constructor(groups: GroupCoordinator, metadata: MetadataRepository) {
    this.#groups = groups
    this.#metadata = metadata
  }

  async execute(command: FetchOffsetsCommand): Promise<FetchOffsetsResult> {
    const { groupId, memberId, memberEpoch } = command
    const image = this.#metadata.image()
    const { error, answer } = await this.#groups.coordinator.run<FetchOffsetsResult>(groupId, (shard) => {
      const refused = shard.group(groupId)?.refuseFetch(memberId, memberEpoch) ?? null
      if (refused !== null) return { records: [], answer: { error: refused } }
      return { records: [], answer: { error: null, topics: fetch(shard, command, image) } }
    })
    return error === null ? answer : { error }
  }
}

function fetch(shard: GroupShard, command: FetchOffsetsCommand, image: ClusterImage): readonly FetchedTopic[] {
  const { groupId, topics, requireStable } = command
  const partition = (topic: string, index: number): FetchedPartition => ({
    partition: index,
    ...fetchOffset(shard, groupId, topic, index, requireStable),
  })
  if (topics === 'all' || topics === 'all by id') {
    const all = [...shard.offsets.ofGroup(groupId)].map(([name, partitions]) => ({
      name,
      topicId: image.topicsByName.get(name)?.id ?? ZERO_UUID,
      partitions: [...partitions.keys()].map((index) => partition(name, index)),
    }))
    return topics === 'all' ? all : all.filter(({ topicId }) => topicId !== ZERO_UUID)
  }
  return topics.map((asked) => {
    const name = asked.name ?? image.topicsById.get(asked.topicId)?.name
    const { topicId } = asked
    if (name !== undefined) {
      return { name, topicId, partitions: asked.partitions.map((index) => partition(name, index)) }
    }
    const unknown = { error: 'UNKNOWN_TOPIC_ID', offset: null } as const
    return { name: '', topicId, partitions: asked.partitions.map((index) => ({ partition: index, ...unknown })) }
  })
}
