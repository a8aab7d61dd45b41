import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { BrokerConfig } from '../../../src/domain/config/broker-config.ts'
import {
  createdTopicConfigs,
  describeBrokerConfigs,
  describeClientMetricsConfigs,
  describeDefaultBrokerConfigs,
  describeGroupConfigs,
  describeTopicConfigs,
  type DescribedConfig,
} from '../../../src/domain/config/describe-config.ts'
import { brokerKeys } from '../../../src/domain/config/broker-keys.ts'
import { topicKeys } from '../../../src/domain/config/topic-keys.ts'
import { groupKeys } from '../../../src/domain/config/group-keys.ts'
import { imageWith } from '../../support/cluster-images.ts'

/** What a real broker (Apache Kafka 4.3.1) answered to DescribeConfigs v4, and how it was set up. */
interface Observed {
  readonly properties: readonly string[]
  readonly dynamicDefault: Record<string, string>
  readonly dynamicBroker: Record<string, string>
  readonly topicConfigs: Record<string, string>
  readonly groupConfigs: Record<string, string>
  readonly clientMetricsConfigs?: Record<string, string>
  readonly topic: readonly DescribedConfig[]
  readonly broker: readonly DescribedConfig[]
  readonly brokerDefault?: readonly DescribedConfig[]
  readonly group: readonly DescribedConfig[]
  readonly clientMetrics?: readonly DescribedConfig[]
}

/** Keys that 4.4 has and 4.3.1 had not yet. */
const since44 = new Set(
  [
    'errors.deadletterqueue.auto.create.topics.enable errors.deadletterqueue.topic.name.prefix',
    'errors.deadletterqueue.copy.record.enable errors.deadletterqueue.topic.name errors.deadletterqueue.group.enable',
    'group.streams.assignors group.streams.rack.aware.assignment.tags group.streams.topology.description.plugin.class',
    'log.remote.copy.lag.bytes log.remote.copy.lag.ms remote.copy.lag.bytes remote.copy.lag.ms',
    'max.decompressed.message.bytes sasl.oauthbearer.allow.unverified.audience',
    'sasl.oauthbearer.allow.unverified.issuer streams.assignor.name streams.rack.aware.assignment.tags',
  ].flatMap((line) => line.split(' ')),
)

function load(name: string) {
  const url = new URL(`../../fixtures/configs/described-${name}.json`, import.meta.url)
  const observed = JSON.parse(readFileSync(url, 'utf8')) as Observed
  const texts = observed.properties.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
  const image = imageWith([
    { type: 'BROKER', name: '', configs: observed.dynamicDefault },
    { type: 'BROKER', name: '1', configs: observed.dynamicBroker },
  ])
  const broker = BrokerConfig.of(new Map(texts as [string, string][])).at(image)
  return { observed, broker }
}

function of431(configs: readonly DescribedConfig[]): readonly DescribedConfig[] {
  return configs.filter((config) => !since44.has(config.name))
}

const texts = (record: Record<string, string> | undefined) => new Map(Object.entries(record ?? {}))

describe('DescribeConfigs, as a real broker answers it', () => {
  it.each(['static', 'dynamic'])('topic (%s values)', (name) => {
    const { observed, broker } = load(name)
    expect(of431(describeTopicConfigs(texts(observed.topicConfigs), broker))).toEqual(observed.topic)
  })

  it('broker, every key', () => {
    const { observed, broker } = load('static')
    expect(of431(describeBrokerConfigs(broker))).toEqual(observed.broker)
  })

  it('broker with values set at run time: what differs from the defaults', () => {
    const { observed, broker } = load('dynamic')
    const set = describeBrokerConfigs(broker).filter(
      (config) => config.source !== 'DEFAULT_CONFIG' || config.synonyms.length > 1,
    )
    expect(set).toEqual(observed.broker)
  })

  it('the default of all brokers', () => {
    const { observed, broker } = load('dynamic')
    expect(describeDefaultBrokerConfigs(broker)).toEqual(observed.brokerDefault)
  })

  it.each(['static', 'dynamic'])('group (%s values)', (name) => {
    const { observed, broker } = load(name)
    expect(of431(describeGroupConfigs(texts(observed.groupConfigs), broker))).toEqual(observed.group)
  })

  it('client metrics', () => {
    const { observed } = load('dynamic')
    expect(describeClientMetricsConfigs(texts(observed.clientMetricsConfigs))).toEqual(observed.clientMetrics)
  })
})

describe('what CreateTopics answers of configs', () => {
  it('shows texts as written, in milliseconds where the broker counts in hours', () => {
    const { observed, broker } = load('static')
    const shown = createdTopicConfigs(texts(observed.topicConfigs), broker).filter(
      (config) => config.source !== 'DEFAULT_CONFIG',
    )
    expect(shown.map(({ name, value, source }) => [name, value, source])).toEqual([
      ['cleanup.policy', 'compact, delete', 'STATIC_BROKER_CONFIG'],
      ['flush.ms', '777', 'STATIC_BROKER_CONFIG'],
      ['internal.segment.bytes', '5000', 'DYNAMIC_TOPIC_CONFIG'],
      ['min.insync.replicas', '1', 'DYNAMIC_DEFAULT_BROKER_CONFIG'],
      ['preallocate', 'TRUE', 'STATIC_BROKER_CONFIG'],
      ['retention.ms', '18000000', 'STATIC_BROKER_CONFIG'],
      ['segment.bytes', '1048576', 'DYNAMIC_TOPIC_CONFIG'],
      ['segment.jitter.ms', '3600000', 'STATIC_BROKER_CONFIG'],
      ['segment.ms', '18000000', 'STATIC_BROKER_CONFIG'],
    ])
  })
})

describe('the tables', () => {
  it('hold every key of 4.4', () => {
    expect([brokerKeys.size, topicKeys.size, groupKeys.size]).toEqual([382, 38, 27])
  })
})
