/** What creating a topic takes, whether a client asked for it or a look-up found it missing. */
import type { ClusterImage } from '../../../domain/cluster/cluster-image.ts'
import type { TopicCreationAnswer } from '../../../domain/cluster/topic-creation.ts'
import type { Uuid } from '../../../domain/uuid.ts'
import type { Logger } from '../../ports/logger.ts'
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
