/** What creating a topic takes, whether a client asked for it or a look-up found it missing. */
import type { ClusterImage } from '../../../domain/cluster/cluster-image.ts'
import { internalTopicSpec, type InternalTopicSettings } from '../../../domain/cluster/internal-topics.ts'
import { decideTopicCreation, type NewTopic, type TopicCreationAnswer } from '../../../domain/cluster/topic-creation.ts'
import type { Uuid } from '../../../domain/uuid.ts'
import type { Logger } from '../../ports/logger.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import type { Random } from '../../ports/random.ts'

export function unusedTopicId(image: ClusterImage, random: Random): Uuid {
  let id = random.uuid()
  while (image.topicsById.has(id)) id = random.uuid()
  return id
}

export function logCreatedTopics(answer: readonly TopicCreationAnswer[], logger: Logger): void {
  for (const topic of answer) {
    if (topic.error !== 'NONE') continue
    const { name, topicId, numPartitions, replicationFactor } = topic
    logger.info('topic created', { topic: name, topicId, partitions: numPartitions, replicationFactor })
  }
}

/** What topics get that the broker creates because somebody needs them. */
export interface MissingTopicSettings extends InternalTopicSettings {
  readonly numPartitions: number
  readonly defaultReplicationFactor: number
}

/** Creates topics that a look-up found missing, internal ones as they have to be. Those that cannot be are refused. */
export async function createMissingTopics(
  names: readonly string[],
  settings: MissingTopicSettings,
  metadata: MetadataRepository,
  random: Random,
  logger: Logger,
): Promise<readonly TopicCreationAnswer[]> {
  const { numPartitions, defaultReplicationFactor } = settings
  const topics = names.map((name) => missingTopic(name, settings))
  const answer = await metadata.commit((image) =>
    decideTopicCreation(image, topics, {
      numPartitions,
      defaultReplicationFactor,
      newTopicId: () => unusedTopicId(image, random),
    }),
  )
  logCreatedTopics(answer, logger)
  return answer
}

function missingTopic(name: string, settings: InternalTopicSettings): NewTopic {
  const spec = internalTopicSpec(name, settings) ?? { numPartitions: -1, replicationFactor: -1, configs: [] }
  return {
    name,
    numPartitions: spec.numPartitions,
    replicationFactor: spec.replicationFactor,
    assignments: [],
    configs: spec.configs.map(([key, value]) => ({ name: key, value })),
  }
}
