/**
 * ListConfigResources (KIP-1142): the names of everything that can have configs: all topics and brokers, and the
 * groups and client metrics subscriptions that have some.
 */
import { configResourceType } from '../../../domain/cluster/cluster-evolution.ts'
import type { ClusterImage, ConfigResourceType } from '../../../domain/cluster/cluster-image.ts'
import type { ErrorName } from '../../../domain/errors.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface ListConfigResourcesResult {
  /** UNSUPPORTED_VERSION when a type is asked for that does not exist. */
  readonly error: ErrorName
  readonly resources: readonly { readonly type: ConfigResourceType; readonly name: string }[]
}

const allTypes: readonly ConfigResourceType[] = ['GROUP', 'CLIENT_METRICS', 'BROKER_LOGGER', 'BROKER', 'TOPIC']

export class ListConfigResources {
  readonly #metadata: MetadataRepository

  constructor(metadata: MetadataRepository) {
    this.#metadata = metadata
  }

  /** `typeCodes`: Kafka's codes; empty = all types. */
  execute(typeCodes: readonly number[]): ListConfigResourcesResult {
    const image = this.#metadata.image()
    const asked = new Set(typeCodes.map((code) => configResourceType(code)))
    if (asked.has(null)) return { error: 'UNSUPPORTED_VERSION', resources: [] }
    const types = allTypes.filter((type) => asked.size === 0 || asked.has(type))
    const resources = types.flatMap((type) => namesOf(image, type).map((name) => ({ type, name })))
    return { error: 'NONE', resources }
  }
}

function namesOf(image: ClusterImage, type: ConfigResourceType): readonly string[] {
  switch (type) {
    case 'TOPIC':
      return [...image.topicsByName.keys()]
    case 'BROKER':
    case 'BROKER_LOGGER':
      return [...image.brokers.keys()].map(String)
    case 'GROUP':
    case 'CLIENT_METRICS': {
      const prefix = `${type}:`
      const keys = [...image.configs.keys()].filter((key) => key.startsWith(prefix))
      return keys.map((key) => key.slice(prefix.length))
    }
  }
}
