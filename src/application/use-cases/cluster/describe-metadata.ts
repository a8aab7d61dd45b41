/**
 * Tells a client the brokers, the controller and its topics, and creates topics that it asked for and that are
 * missing, if both the broker (`auto.create.topics.enable`) and the client allow it.
 *
 * A topic that is created here is answered as unknown this time, as Kafka does; the client asks again and finds it.
 */
import {
  ALL_CLUSTER_OPERATIONS,
  ALL_TOPIC_OPERATIONS,
  OPERATIONS_NOT_ASKED,
} from '../../../domain/cluster/authorized-operations.ts'
import type { ClusterImage, TopicImage } from '../../../domain/cluster/cluster-image.ts'
import type { ClientAddress, ClientView, EndpointSettings, VisibleBroker } from '../../../domain/cluster/endpoints.ts'
import { clientView, visibleBrokers } from '../../../domain/cluster/endpoints.ts'
import { isInternalTopic } from '../../../domain/cluster/internal-topics.ts'
import type { DescriptionRules, PartitionDescription } from '../../../domain/cluster/topic-description.ts'
import { describePartition } from '../../../domain/cluster/topic-description.ts'
import { unknownTopicError } from '../../../domain/cluster/topic-pages.ts'
import type { ErrorName } from '../../../domain/errors.ts'
import { ZERO_UUID } from '../../../domain/uuid.ts'
import type { Uuid } from '../../../domain/uuid.ts'
import type { Logger } from '../../ports/logger.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import type { Random } from '../../ports/random.ts'
import { createMissingTopics, type MissingTopicSettings } from './new-topics.ts'

export interface DescribeMetadataSettings extends EndpointSettings, MissingTopicSettings {
  readonly autoCreateTopicsEnable: boolean
}

export interface DescribeMetadataCommand {
  readonly client: ClientAddress
  readonly topics: 'all' | { readonly names: readonly string[] } | { readonly ids: readonly Uuid[] }
  /** The client allows that topics which it names and which do not exist are created. */
  readonly allowAutoTopicCreation: boolean
  readonly includeTopicAuthorizedOperations: boolean
  readonly includeClusterAuthorizedOperations: boolean
  readonly rules: DescriptionRules
}

export interface MetadataTopic {
  readonly error: ErrorName
  /** null for an id that no topic has. */
  readonly name: string | null
  readonly topicId: Uuid
  readonly isInternal: boolean
  readonly partitions: readonly PartitionDescription[]
  readonly authorizedOperations: number
}

export interface DescribeMetadataResult {
  /** The brokers that a client may be sent to. */
  readonly brokers: readonly VisibleBroker[]
  readonly clusterId: string
  readonly controllerId: number
  /** Unknown ids, then existing topics, then unknown names; each once and otherwise as the client asked. */
  readonly topics: readonly MetadataTopic[]
  readonly clusterAuthorizedOperations: number
}

export class DescribeMetadata {
  readonly #metadata: MetadataRepository
  readonly #random: Random
  readonly #logger: Logger
  readonly #settings: () => DescribeMetadataSettings

  constructor(metadata: MetadataRepository, random: Random, logger: Logger, settings: () => DescribeMetadataSettings) {
    this.#metadata = metadata
    this.#random = random
    this.#logger = logger
    this.#settings = settings
  }

  async execute(command: DescribeMetadataCommand): Promise<DescribeMetadataResult> {
    const image = this.#metadata.image()
    const settings = this.#settings()
    const view = clientView(settings, command.client)
    const { found, unknownIds, unknownNames } = lookUp(image, command.topics)
    if (unknownNames.length > 0 && command.allowAutoTopicCreation && settings.autoCreateTopicsEnable) {
      // A refusal (an illegal name, too few brokers) stays unsaid: the client keeps seeing that the topic is unknown.
      await createMissingTopics(unknownNames, settings, this.#metadata, this.#random, this.#logger)
    }
    const operations = command.includeTopicAuthorizedOperations ? ALL_TOPIC_OPERATIONS : OPERATIONS_NOT_ASKED
    return {
      brokers: visibleBrokers(image, view).filter(({ fenced }) => !fenced),
      clusterId: image.clusterId,
      controllerId: settings.nodeId,
      topics: [
        ...unknownIds.map((id) => unknownId(id)),
        ...found.map((topic) => foundTopic(image, topic, view, command.rules, operations)),
        ...unknownNames.map((name) => unknownName(name, operations)),
      ],
      clusterAuthorizedOperations: command.includeClusterAuthorizedOperations
        ? ALL_CLUSTER_OPERATIONS
        : OPERATIONS_NOT_ASKED,
    }
  }
}

interface LookUp {
  readonly found: readonly TopicImage[]
  readonly unknownIds: readonly Uuid[]
  readonly unknownNames: readonly string[]
}

function lookUp(image: ClusterImage, asked: DescribeMetadataCommand['topics']): LookUp {
  if (asked === 'all') return { found: [...image.topicsByName.values()], unknownIds: [], unknownNames: [] }
  if ('ids' in asked) {
    const { found, unknown } = partition(asked.ids, image.topicsById)
    return { found, unknownIds: unknown, unknownNames: [] }
  }
  const { found, unknown } = partition(asked.names, image.topicsByName)
  return { found, unknownIds: [], unknownNames: unknown }
}

function partition<Key>(keys: readonly Key[], topics: ReadonlyMap<Key, TopicImage>) {
  const found: TopicImage[] = []
  const unknown: Key[] = []
  for (const key of new Set(keys)) {
    const topic = topics.get(key)
    if (topic === undefined) unknown.push(key)
    else found.push(topic)
  }
  return { found, unknown }
}

function foundTopic(
  image: ClusterImage,
  topic: TopicImage,
  view: ClientView,
  rules: DescriptionRules,
  authorizedOperations: number,
): MetadataTopic {
  return {
    error: 'NONE',
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((each) => describePartition(image, each, view, rules)),
    authorizedOperations,
  }
}

function unknownName(name: string, authorizedOperations: number): MetadataTopic {
  const error = unknownTopicError(name)
  return { error, name, topicId: ZERO_UUID, isInternal: isInternalTopic(name), partitions: [], authorizedOperations }
}

/** What may be done with a topic that has no name is not told, even when it is asked for (observed on 4.3.1). */
function unknownId(topicId: Uuid): MetadataTopic {
  return {
    error: 'UNKNOWN_TOPIC_ID',
    name: null,
    topicId,
    isInternal: false,
    partitions: [],
    authorizedOperations: OPERATIONS_NOT_ASKED,
  }
}
