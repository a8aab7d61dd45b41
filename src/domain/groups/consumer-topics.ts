/** The topics of members: by name, by what their regular expressions were found to match, and as ids of an image. */
import type { ClusterImage } from '../cluster/cluster-image.ts'
import type { Uuid } from '../uuid.ts'
import type { ConsumerGroup, TopicsSeen } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import type { RegularExpressionValue } from './group-record.ts'
import { metadataHash } from './metadata-hash.ts'

type Regexes = ReadonlyMap<string, RegularExpressionValue>

const none: readonly string[] = []

/** Ids of topics by subscription; members that subscribe alike share one set. */
export class TopicResolver {
  readonly #image: ClusterImage
  readonly #regexes: Regexes
  readonly #known = new Map<string, ReadonlySet<Uuid>>()

  constructor(image: ClusterImage, regexes: Regexes) {
    this.#image = image
    this.#regexes = regexes
  }

  /** The existing topics that a member subscribes to. */
  topicsOf({ subscribedTopicNames, subscribedTopicRegex }: ConsumerMember): ReadonlySet<Uuid> {
    const key = `${subscribedTopicNames.join('\n')}\n\n${subscribedTopicRegex}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const topics = new Set<Uuid>()
    const matched = this.#regexes.get(subscribedTopicRegex)?.topics ?? none
    for (const names of [subscribedTopicNames, matched]) {
      for (const name of names) {
        const topic = this.#image.topicsByName.get(name)
        if (topic !== undefined) topics.add(topic.id)
      }
    }
    this.#known.set(key, topics)
    return topics
  }
}

/** The hash over the topics of all these members. */
export function hashOfSubscriptions(members: Iterable<ConsumerMember>, regexes: Regexes, image: ClusterImage): bigint {
  const names = new Set<string>()
  const patterns = new Set<string>()
  for (const { subscribedTopicNames, subscribedTopicRegex } of members) {
    for (const name of subscribedTopicNames) names.add(name)
    patterns.add(subscribedTopicRegex)
  }
  for (const pattern of patterns) for (const name of regexes.get(pattern)?.topics ?? none) names.add(name)
  return metadataHash(names, image)
}

/** Whether topics or racks may have changed since the group looked at them. */
export function mustLookAgain({ topicsSeen }: ConsumerGroup, image: ClusterImage): boolean {
  return topicsSeen?.topics !== image.topicsByName || topicsSeen.brokers !== image.brokers
}

export function seen(image: ClusterImage): TopicsSeen {
  return { topics: image.topicsByName, brokers: image.brokers }
}
