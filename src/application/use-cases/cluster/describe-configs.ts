/**
 * DescribeConfigs: the configs of topics, this broker, the default of all brokers, groups and client metrics
 * subscriptions. Each resource is answered for itself; one of an unknown type fails alone (a real broker fails the
 * whole request). Broker loggers have none: nothing here is named as the loggers of a JVM are.
 */
import { configResourceType } from '../../../domain/cluster/cluster-evolution.ts'
import { configsOf, type ClusterImage } from '../../../domain/cluster/cluster-image.ts'
import { topicNameProblem } from '../../../domain/cluster/topic-name.ts'
import type { BrokerConfig } from '../../../domain/config/broker-config.ts'
import {
  describeBrokerConfigs,
  describeClientMetricsConfigs,
  describeDefaultBrokerConfigs,
  describeGroupConfigs,
  describeTopicConfigs,
  type DescribedConfig,
} from '../../../domain/config/describe-config.ts'
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface DescribeConfigsCommand {
  readonly resources: readonly {
    /** Kafka's code; it need not be one that exists. */
    readonly resourceType: number
    readonly resourceName: string
    /** null or empty = all keys. Keys that do not exist are passed over. */
    readonly configurationKeys: readonly string[] | null
  }[]
}

export interface DescribeConfigsResult {
  readonly error: ErrorName
  /** Empty, not null, when there is nothing to say (observed). */
  readonly message: string
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly DescribedConfig[]
}

/** A few bytes of request make up to some 350 lines of answer; past this many lines the rest is refused. */
const LINES_MAX = 500_000

const UNKNOWN_TYPE =
  'This most likely occurs because of a request being malformed by the client library or the message was sent to an ' +
  'incompatible broker. See the broker logs for more details.'

type Described = readonly DescribedConfig[] | { readonly error: KafkaError; readonly message: string }

export class DescribeConfigs {
  readonly #metadata: MetadataRepository
  readonly #broker: BrokerConfig

  constructor(metadata: MetadataRepository, broker: BrokerConfig) {
    this.#metadata = metadata
    this.#broker = broker
  }

  execute(command: DescribeConfigsCommand): readonly DescribeConfigsResult[] {
    const image = this.#metadata.image()
    const broker = this.#broker.at(image)
    const known = new Map<string, Described>()
    let lines = 0
    return command.resources.map(({ resourceType, resourceName, configurationKeys }) => {
      const key = `${resourceType}:${resourceName}`
      const described =
        lines > LINES_MAX ? tooMuch() : (known.get(key) ?? describe(image, broker, resourceType, resourceName))
      known.set(key, described)
      if ('error' in described) return { ...described, resourceType, resourceName, configs: [] }
      const keys = configurationKeys === null || configurationKeys.length === 0 ? null : new Set(configurationKeys)
      const configs = keys === null ? described : described.filter((config) => keys.has(config.name))
      lines += configs.length
      return { error: 'NONE', message: '', resourceType, resourceName, configs }
    })
  }
}

function describe(image: ClusterImage, broker: BrokerConfig, typeCode: number, name: string): Described {
  const type = configResourceType(typeCode)
  switch (type) {
    case 'TOPIC': {
      const problem = topicNameProblem(name)
      if (problem !== null) return { error: 'INVALID_TOPIC_EXCEPTION', message: problem }
      if (!image.topicsByName.has(name)) return { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: '' }
      return describeTopicConfigs(configsOf(image, type, name), broker)
    }
    case 'BROKER':
      if (name === '') return describeDefaultBrokerConfigs(broker)
      return (
        wrongBroker(name, broker, `expected ${broker.nodeId} or empty string, but`) ?? describeBrokerConfigs(broker)
      )
    case 'BROKER_LOGGER':
      if (name === '') return refused('Broker id must not be empty')
      return wrongBroker(name, broker, `expected ${broker.nodeId} but`) ?? []
    case 'GROUP':
      if (name === '') return refused('Group name must not be empty')
      return describeGroupConfigs(configsOf(image, type, name), broker)
    case 'CLIENT_METRICS':
      if (name === '') return refused('Client metrics subscription name must not be empty')
      return describeClientMetricsConfigs(configsOf(image, type, name))
    case null:
      return refused(UNKNOWN_TYPE)
  }
}

function refused(message: string): { readonly error: KafkaError; readonly message: string } {
  return { error: 'INVALID_REQUEST', message }
}

function tooMuch(): ReturnType<typeof refused> {
  return refused('Too many resources in one request.')
}

function wrongBroker(name: string, broker: BrokerConfig, expected: string): ReturnType<typeof refused> | null {
  if (!/^[+-]?\d+$/.test(name)) return refused(`Broker id must be an integer, but it is: ${name}`)
  return Number(name) === broker.nodeId ? null : refused(`Unexpected broker id, ${expected} received ${name}`)
}
