/**
 * Tells a client which broker coordinates its groups, transactions or share partitions: on a single node this one.
 *
 * The topic that groups or transactions are kept in is created when the first one is asked for. Kafka answers
 * COORDINATOR_NOT_AVAILABLE until it is there; here the answer waits for it, so that the client need not ask again.
 */
import { isShareKey } from '../../../domain/cluster/coordinator-key.ts'
import type { ClientAddress, Endpoint, EndpointSettings } from '../../../domain/cluster/endpoints.ts'
import { clientView } from '../../../domain/cluster/endpoints.ts'
import { CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../../../domain/cluster/internal-topics.ts'
import type { Logger } from '../../ports/logger.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import type { Random } from '../../ports/random.ts'
import { createMissingTopics, type MissingTopicSettings } from './new-topics.ts'

export type CoordinatorType = 'group' | 'transaction' | 'share'

export interface FindCoordinatorCommand {
  readonly client: ClientAddress
  readonly type: CoordinatorType
  readonly keys: readonly string[]
}

export type Coordinator =
  | { readonly key: string; readonly error: 'NONE'; readonly nodeId: number; readonly endpoint: Endpoint }
  | { readonly key: string; readonly error: 'INVALID_REQUEST' | 'COORDINATOR_NOT_AVAILABLE' }

export interface FindCoordinatorSettings extends EndpointSettings, MissingTopicSettings {}

/** What must be there for a coordinator to be; share coordinators are not served yet. */
const topics: Readonly<Record<CoordinatorType, string | null>> = {
  group: CONSUMER_OFFSETS_TOPIC,
  transaction: TRANSACTION_STATE_TOPIC,
  share: null,
}

export class FindCoordinator {
  readonly #metadata: MetadataRepository
  readonly #random: Random
  readonly #logger: Logger
  readonly #settings: () => FindCoordinatorSettings

  constructor(metadata: MetadataRepository, random: Random, logger: Logger, settings: () => FindCoordinatorSettings) {
    this.#metadata = metadata
    this.#random = random
    this.#logger = logger
    this.#settings = settings
  }

  /** One answer per key, in the order of the keys; a key given twice is answered twice. */
  async execute({ client, type, keys }: FindCoordinatorCommand): Promise<readonly Coordinator[]> {
    const settings = this.#settings()
    const { own } = clientView(settings, client)
    const topic = topics[type]
    const isThere = topic === null || keys.length === 0 || (await this.#ensure(topic))
    return keys.map((key) => {
      if (type === 'share' && !isShareKey(key)) return { key, error: 'INVALID_REQUEST' }
      if (!isThere) return { key, error: 'COORDINATOR_NOT_AVAILABLE' }
      return { key, error: 'NONE', nodeId: settings.nodeId, endpoint: own }
    })
  }

  /** Whether the topic is there, now. */
  async #ensure(topic: string): Promise<boolean> {
    const exists = () => this.#metadata.image().topicsByName.has(topic)
    if (exists()) return true
    await createMissingTopics([topic], this.#settings(), this.#metadata, this.#random, this.#logger)
    return exists()
  }
}
