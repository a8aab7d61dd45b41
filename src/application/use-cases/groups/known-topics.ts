/** The part of a commit that names topics and partitions which exist; the rest is answered without asking the group. */
import type { ClusterImage, TopicImage } from '../../../domain/cluster/cluster-image.ts'
import type { ErrorName } from '../../../domain/errors.ts'
import type { CommittedTopic } from '../../../domain/groups/offset-rules.ts'
import type { Uuid } from '../../../domain/uuid.ts'

/** A topic by its name, or by its id when the name is null. */
export interface TopicOffsets extends Omit<CommittedTopic, 'name'> {
  readonly name: string | null
}

export interface CommittedTopicResult {
  readonly name: string | null
  readonly topicId: Uuid
  readonly partitions: readonly { readonly partition: number; readonly error: ErrorName }[]
}

/** One for each partition of each topic, in their order. */
export type PartitionErrors = readonly (readonly ErrorName[])[]

/** Answers for all partitions, in the order of `asked`; `commit` is given those that exist. */
export async function commitKnown(
  image: ClusterImage,
  asked: readonly TopicOffsets[],
  commit: (known: readonly CommittedTopic[]) => Promise<PartitionErrors>,
): Promise<readonly CommittedTopicResult[]> {
  const topics = asked.map((topic) => resolve(image, topic))
  const known = topics.flatMap(({ known }) => (known === null ? [] : [known]))
  const errors = known.length === 0 ? [] : await commit(known)
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
