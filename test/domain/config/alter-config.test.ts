import { describe, expect, it } from '@jest/globals'
import { evolve } from '../../../src/domain/cluster/cluster-evolution.ts'
import { configsOf, type ClusterImage } from '../../../src/domain/cluster/cluster-image.ts'
import {
  decideAlterConfigs,
  decideIncrementalAlterConfigs,
  type ConfigChange,
} from '../../../src/domain/config/alter-config.ts'
import { BrokerConfig } from '../../../src/domain/config/broker-config.ts'
import { imageWith } from '../../support/cluster-images.ts'

const TOPIC = 2
const BROKER = 4
const LOGGER = 8
const METRICS = 16
const GROUP = 32

const broker = BrokerConfig.of(
  new Map([
    ['node.id', '1'],
    ['log.dirs', '/data'],
    ['num.io.threads', '4'],
    ['num.network.threads', '2'],
    ['group.consumer.max.heartbeat.interval.ms', '60000'],
  ]),
)
const image: ClusterImage = {
  ...imageWith(
    [
      { type: 'TOPIC', name: 't1', configs: { 'retention.ms': '1000', 'cleanup.policy': 'compact' } },
      { type: 'BROKER', name: '', configs: { 'min.insync.replicas': '1' } },
    ],
    ['t1'],
  ),
  features: new Map([['eligible.leader.replicas.version', 1]]),
}

const set = (name: string, value: string | null): ConfigChange => ({ name, operation: 'SET', value })
const remove = (name: string): ConfigChange => ({ name, operation: 'DELETE', value: null })
const append = (name: string, value: string | null): ConfigChange => ({ name, operation: 'APPEND', value })
const subtract = (name: string, value: string | null): ConfigChange => ({ name, operation: 'SUBTRACT', value })

function alter(type: number, name: string, changes: readonly ConfigChange[]) {
  return decideIncrementalAlterConfigs(image, broker, [{ resourceType: type, resourceName: name, changes }]).results[0]
}

function replace(type: number, name: string, changes: readonly ConfigChange[]) {
  return decideAlterConfigs(image, broker, [{ resourceType: type, resourceName: name, changes }]).results[0]
}

type Row = [string, number, string, readonly ConfigChange[], string, string | null]

const lists = (name: string, why: string) => `Can't ${why} to key ${name} because its type is not LIST.`
const atLeast = (key: string, value: string, least: number) =>
  `Invalid value ${value} for configuration ${key}: Value must be at least ${least}`

/** Observed of Apache Kafka 4.3.1; the numbers are rows of the table of odd requests. */
const refusals: Row[] = [
  [
    '104 no number',
    TOPIC,
    't1',
    [set('retention.ms', 'abc')],
    'INVALID_CONFIG',
    'Invalid value abc for configuration retention.ms: Not a number of type LONG',
  ],
  [
    '105 APPEND to no list',
    TOPIC,
    't1',
    [append('retention.ms', '5')],
    'INVALID_CONFIG',
    lists('retention.ms', 'APPEND'),
  ],
  ['SUBTRACT', TOPIC, 't1', [subtract('retention.ms', '5')], 'INVALID_CONFIG', lists('retention.ms', 'SUBTRACT')],
  ['106 DELETE of what is not set', TOPIC, 't1', [remove('segment.ms')], 'NONE', null],
  ['DELETE of an unknown key', TOPIC, 't1', [remove('no.such.key')], 'NONE', null],
  [
    '107 null',
    TOPIC,
    't1',
    [set('retention.ms', null)],
    'INVALID_REQUEST',
    'Null value not supported for : retention.ms',
  ],
  [
    'two nulls',
    TOPIC,
    't1',
    [set('retention.ms', null), append('segment.ms', null)],
    'INVALID_REQUEST',
    'Null value not supported for : retention.ms, segment.ms',
  ],
  ['109 too small', TOPIC, 't1', [set('segment.bytes', '1')], 'INVALID_CONFIG', atLeast('segment.bytes', '1', 1048576)],
  [
    '110 missing topic',
    TOPIC,
    'nope',
    [set('retention.ms', '5')],
    'UNKNOWN_TOPIC_OR_PARTITION',
    "The topic 'nope' does not exist.",
  ],
  [
    'a name that no topic may have',
    TOPIC,
    'a b',
    [set('retention.ms', '5')],
    'INVALID_TOPIC_EXCEPTION',
    "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
  ],
  ['no name', TOPIC, '', [set('retention.ms', '5')], 'INVALID_REQUEST', 'Default topic resources are not allowed.'],
  ['unknown key', TOPIC, 't1', [set('no.such.key', 'x')], 'INVALID_CONFIG', 'Unknown topic config name: no.such.key'],
  [
    'a key twice',
    TOPIC,
    't1',
    [set('retention.ms', '1'), remove('retention.ms')],
    'INVALID_REQUEST',
    'Error due to duplicate config keys',
  ],
  [
    'unknown operation',
    TOPIC,
    't1',
    [{ name: 'retention.ms', operation: 7, value: '1' }],
    'INVALID_REQUEST',
    'Unknown operations type 7',
  ],
  [
    'lags that contradict each other',
    TOPIC,
    't1',
    [set('min.compaction.lag.ms', '10'), set('max.compaction.lag.ms', '5')],
    'INVALID_CONFIG',
    'conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
  ],
  [
    'APPEND of nothing',
    TOPIC,
    't1',
    [append('cleanup.policy', '')],
    'INVALID_CONFIG',
    "Configuration 'cleanup.policy' values must not be empty.",
  ],
  [
    'remote storage',
    TOPIC,
    't1',
    [set('remote.storage.enable', 'true')],
    'INVALID_CONFIG',
    'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
  ],
  [
    '111 read-only',
    BROKER,
    '1',
    [set('log.dirs', '/x')],
    'INVALID_REQUEST',
    'Cannot update these configs dynamically: [log.dirs]',
  ],
  ['read-only, deleted', BROKER, '1', [remove('log.dirs')], 'NONE', null],
  [
    '112 another broker',
    BROKER,
    '99',
    [set('log.retention.ms', '5')],
    'INVALID_REQUEST',
    'Unexpected broker id, expected 1, but received 99',
  ],
  [
    'no broker id',
    BROKER,
    'x',
    [set('log.retention.ms', '5')],
    'INVALID_REQUEST',
    'Node id must be an integer, but it is: x',
  ],
  ['a broker key that nobody knows', BROKER, '1', [set('no.such.key', 'x')], 'NONE', null],
  [
    'a broker value that is none',
    BROKER,
    '',
    [set('log.retention.ms', 'abc')],
    'INVALID_REQUEST',
    'Invalid value abc for configuration log.retention.ms: Not a number of type LONG',
  ],
  [
    'listener prefix, value',
    BROKER,
    '1',
    [set('listener.name.plaintext.max.connections', '-1')],
    'INVALID_REQUEST',
    atLeast('max.connections', '-1', 0),
  ],
  ['listener prefix, fixed key', BROKER, '1', [set('listener.name.plaintext.node.id', '-5')], 'NONE', null],
  [
    'security key without a listener',
    BROKER,
    '1',
    [set('ssl.keystore.location', '/x')],
    'INVALID_REQUEST',
    'These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.location]',
  ],
  [
    'per-broker key for all',
    BROKER,
    '',
    [set('sasl.jaas.config', 'x')],
    'INVALID_REQUEST',
    'Cannot update these configs at default cluster level, broker id must be specified: [sasl.jaas.config]',
  ],
  [
    'listener key for all',
    BROKER,
    '',
    [set('listener.name.plaintext.foo', 'x')],
    'INVALID_REQUEST',
    'Cannot update these configs at default cluster level, broker id must be specified: [listener.name.plaintext.foo]',
  ],
  ['cluster-wide listener key', BROKER, '', [set('listener.name.plaintext.max.connections', '5')], 'NONE', null],
  [
    'a class',
    BROKER,
    '1',
    [set('principal.builder.class', 'x')],
    'INVALID_REQUEST',
    'Invalid value x for configuration principal.builder.class: Class x could not be found.',
  ],
  [
    'zero retention',
    BROKER,
    '1',
    [set('log.retention.ms', '0')],
    'INVALID_REQUEST',
    'requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1',
  ],
  ['negative retention', BROKER, '1', [set('log.retention.ms', '-5')], 'NONE', null],
  [
    'zero roll time',
    BROKER,
    '',
    [set('log.roll.ms', '0')],
    'INVALID_REQUEST',
    'requirement failed: log.roll.ms must be greater than or equal to 1',
  ],
  [
    'dedupe buffer',
    BROKER,
    '',
    [set('log.cleaner.dedupe.buffer.size', '5')],
    'INVALID_REQUEST',
    'requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.',
  ],
  [
    'cordoned directory',
    BROKER,
    '1',
    [set('cordoned.log.dirs', '/x')],
    'INVALID_REQUEST',
    'requirement failed: All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : /x',
  ],
  [
    'connections per address',
    BROKER,
    '1',
    [set('max.connections.per.ip', '0')],
    'INVALID_REQUEST',
    'requirement failed: max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.',
  ],
  [
    'too many threads at once',
    BROKER,
    '1',
    [set('num.io.threads', '9')],
    'INVALID_REQUEST',
    'Dynamic thread count update validation failed for num.io.threads=9, value should not be greater than double the current value 4',
  ],
  ['half the threads', BROKER, '1', [set('num.network.threads', '1')], 'NONE', null],
  [
    'local retention',
    BROKER,
    '1',
    [set('log.local.retention.ms', '999999999999')],
    'INVALID_REQUEST',
    'Invalid value 999999999999 for configuration log.local.retention.ms: Value must not be more than log.retention.ms property value: 604800000',
  ],
  [
    'groups of the broker',
    BROKER,
    '',
    [set('group.consumer.assignment.interval.ms', '99999999')],
    'INVALID_REQUEST',
    'group.consumer.assignment.interval.ms must be less than or equal to group.consumer.max.assignment.interval.ms',
  ],
  [
    'min.insync.replicas of one broker',
    BROKER,
    '1',
    [set('min.insync.replicas', '2')],
    'INVALID_CONFIG',
    'Broker-level min.insync.replicas cannot be altered while ELR is enabled.',
  ],
  [
    'min.insync.replicas removed',
    BROKER,
    '',
    [remove('min.insync.replicas')],
    'INVALID_CONFIG',
    'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.',
  ],
  [
    'min.insync.replicas of one broker, beside a bad value',
    BROKER,
    '1',
    [set('log.retention.ms', 'x'), set('min.insync.replicas', '2')],
    'INVALID_REQUEST',
    'Invalid value x for configuration log.retention.ms: Not a number of type LONG',
  ],
  [
    'a bad value for a topic that does not exist',
    TOPIC,
    'nope',
    [set('retention.ms', 'x')],
    'INVALID_CONFIG',
    'Invalid value x for configuration retention.ms: Not a number of type LONG',
  ],
  [
    'APPEND to a broker number',
    BROKER,
    '1',
    [append('log.retention.ms', '1')],
    'INVALID_CONFIG',
    'Config value append is not allowed for config key: log.retention.ms',
  ],
  ['APPEND to an unknown', BROKER, '1', [append('no.such', '1')], 'INVALID_CONFIG', 'Unknown config name: no.such'],
  [
    'APPEND to what is no list, of a topic with a bad name',
    TOPIC,
    'a b',
    [append('retention.ms', '1')],
    'INVALID_CONFIG',
    lists('retention.ms', 'APPEND'),
  ],
  ['null for an unknown type', 77, 'x', [set('y', null)], 'INVALID_REQUEST', 'Null value not supported for : y'],
  ['114 unknown type', 77, 'x', [], 'INVALID_REQUEST', 'Unknown resource type 77'],
  ['logger', LOGGER, '1', [set('kafka', 'DEBUG')], 'INVALID_CONFIG', 'Logger kafka does not exist!'],
  [
    'logger of another broker',
    LOGGER,
    '9',
    [set('kafka', 'DEBUG')],
    'INVALID_REQUEST',
    'Unexpected node id. Expected 1, but received 9',
  ],
  [
    'APPEND to a logger',
    LOGGER,
    '1',
    [append('kafka', 'DEBUG')],
    'INVALID_REQUEST',
    'APPEND operation is not allowed for the BROKER_LOGGER resource',
  ],
  [
    'group below the least',
    GROUP,
    'g',
    [set('consumer.session.timeout.ms', '5')],
    'INVALID_CONFIG',
    'consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
  ],
  [
    'group above the most',
    GROUP,
    'g',
    [set('share.delivery.count.limit', '100')],
    'INVALID_CONFIG',
    'share.delivery.count.limit must be less than or equal to group.share.max.delivery.count.limit',
  ],
  [
    'heartbeat past the session',
    GROUP,
    'g',
    [set('consumer.heartbeat.interval.ms', '46000')],
    'INVALID_CONFIG',
    'consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms',
  ],
  ['unknown group key', GROUP, 'g', [set('zzz', '1')], 'INVALID_CONFIG', 'Unknown group config name: zzz'],
  ['no group', GROUP, '', [set('zzz', '1')], 'INVALID_REQUEST', 'Default group resources are not allowed.'],
  [
    'offset reset',
    GROUP,
    'g',
    [set('share.auto.offset.reset', 'by_duration:-PT1H')],
    'INVALID_CONFIG',
    "Invalid value by_duration:-PT1H for configuration share.auto.offset.reset: Invalid value `by_duration:-PT1H` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.",
  ],
  ['offset reset by duration', GROUP, 'g', [set('share.auto.offset.reset', 'by_duration:PT1H')], 'NONE', null],
  [
    'interval',
    METRICS,
    'm',
    [set('interval.ms', '5')],
    'INVALID_REQUEST',
    'Invalid value 5 for interval.ms, interval must be between 100 and 3600000 (1 hour)',
  ],
  [
    'interval, no number',
    METRICS,
    'm',
    [set('interval.ms', 'abc')],
    'INVALID_CONFIG',
    'Invalid value abc for configuration interval.ms: Not a number of type INT',
  ],
  [
    'pattern',
    METRICS,
    'm',
    [set('match', 'client_id=[')],
    'INVALID_CONFIG',
    'Illegal client matching pattern: client_id=[',
  ],
  ['selector', METRICS, 'm', [set('match', 'foo=b')], 'INVALID_CONFIG', 'Illegal client matching pattern: foo=b'],
  ['match', METRICS, 'm', [set('match', 'client_id=b.*')], 'NONE', null],
  ['APPEND', METRICS, 'm', [append('metrics', 'c')], 'INVALID_CONFIG', lists('metrics', 'APPEND')],
  [
    'unknown metrics key',
    METRICS,
    'm',
    [set('zzz', '1')],
    'INVALID_REQUEST',
    'Unknown client metrics configuration: zzz',
  ],
  [
    'unknown key beside a bad value',
    METRICS,
    's',
    [set('interval.ms', 'x'), set('zzz', '1')],
    'INVALID_REQUEST',
    'Unknown client metrics configuration: zzz',
  ],
  ['no subscription', METRICS, '', [set('match', '')], 'INVALID_REQUEST', "Subscription name can't be empty"],
]

const replacements: Row[] = [
  ['115 replaces', TOPIC, 't1', [set('retention.ms', '5000')], 'NONE', null],
  ['null', TOPIC, 't1', [set('retention.ms', null)], 'INVALID_REQUEST', 'Null value not supported for : retention.ms'],
  ['unknown key', TOPIC, 't1', [set('zz', 'abc')], 'INVALID_CONFIG', 'Unknown topic config name: zz'],
  [
    'loses min.insync.replicas',
    BROKER,
    '',
    [set('log.retention.ms', '5')],
    'INVALID_CONFIG',
    'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.',
  ],
  [
    'loses it, beside a bad value',
    BROKER,
    '',
    [set('log.retention.ms', 'x')],
    'INVALID_REQUEST',
    'Invalid value x for configuration log.retention.ms: Not a number of type LONG',
  ],
  ['keeps it', BROKER, '', [set('log.retention.ms', '5'), set('min.insync.replicas', '1')], 'NONE', null],
  ['logger', LOGGER, '1', [set('kafka', 'DEBUG')], 'INVALID_REQUEST', 'Unknown resource type 8'],
]

describe('IncrementalAlterConfigs', () => {
  it.each(refusals)('%s', (_what, type, name, changes, error, message) => {
    expect(alter(type, name, changes)).toEqual({ error, message })
  })

  it('answers each resource for itself, and a resource that is named twice not at all', () => {
    const topic = (name: string) => ({ resourceType: TOPIC, resourceName: name, changes: [set('retention.ms', '5')] })
    const { records, results } = decideIncrementalAlterConfigs(image, broker, [topic('t1'), topic('nope')])
    expect(results.map((result) => result.error)).toEqual(['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
    expect(records).toEqual([
      { type: 'ConfigRecord', resourceType: TOPIC, resourceName: 't1', name: 'retention.ms', value: '5' },
    ])
    const twice = decideIncrementalAlterConfigs(image, broker, [topic('t1'), topic('t1')])
    expect(twice.records).toEqual([])
    expect(twice.results.map((result) => result.message)).toEqual([
      'Each resource must appear at most once.',
      'Each resource must appear at most once.',
    ])
  })

  const throttled = 'leader.replication.throttled.replicas'
  it.each([
    ['SET keeps blanks', [set('compression.type', ' gzip ')], 'compression.type', ' gzip '],
    ['DELETE', [remove('retention.ms')], 'retention.ms', undefined],
    ['APPEND', [append('cleanup.policy', 'delete')], 'cleanup.policy', 'compact,delete'],
    ['APPEND of what is there', [append('cleanup.policy', 'compact')], 'cleanup.policy', 'compact'],
    ['APPEND to nothing', [append(throttled, '0:1')], throttled, '0:1'],
    ['SUBTRACT', [subtract('cleanup.policy', 'compact')], 'cleanup.policy', ''],
    ['SUBTRACT of what is not there', [subtract('cleanup.policy', 'delete')], 'cleanup.policy', 'compact'],
  ])('%s', (_what, changes, key, expected) => {
    const alteration = { resourceType: TOPIC, resourceName: 't1', changes }
    const { records } = decideIncrementalAlterConfigs(image, broker, [alteration])
    expect(configsOf(evolve(image, records), 'TOPIC', 't1').get(key)).toBe(expected)
  })

  it('appends to the default where nothing is set', () => {
    const alteration = { resourceType: BROKER, resourceName: '1', changes: [append('log.cleanup.policy', 'compact')] }
    const { records } = decideIncrementalAlterConfigs(image, broker, [alteration])
    expect(records.map((record) => record.value)).toEqual(['delete,compact'])
  })

  it('needs no record for what is so already', () => {
    const alteration = { resourceType: TOPIC, resourceName: 't1', changes: [set('retention.ms', '1000')] }
    expect(decideIncrementalAlterConfigs(image, broker, [alteration]).records).toEqual([])
  })
})

describe('AlterConfigs', () => {
  it.each(replacements)('%s', (_what, type, name, changes, error, message) => {
    expect(replace(type, name, changes)).toEqual({ error, message })
  })

  it('drops what it does not name', () => {
    const alteration = { resourceType: TOPIC, resourceName: 't1', changes: [set('segment.ms', '500000')] }
    const { records } = decideAlterConfigs(image, broker, [alteration])
    expect(configsOf(evolve(image, records), 'TOPIC', 't1')).toEqual(new Map([['segment.ms', '500000']]))
  })
})
