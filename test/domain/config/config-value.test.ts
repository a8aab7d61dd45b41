import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { brokerKeys } from '../../../src/domain/config/broker-keys.ts'
import { clientMetricsKeys } from '../../../src/domain/config/client-metrics-keys.ts'
import { defaultConfig, formatConfig, parseConfig } from '../../../src/domain/config/config-value.ts'
import { groupKeys } from '../../../src/domain/config/group-keys.ts'
import { topicKeys } from '../../../src/domain/config/topic-keys.ts'
import { validateTopicConfigs } from '../../../src/domain/config/topic-rules.ts'

const everyKey = [brokerKeys, topicKeys, groupKeys, clientMetricsKeys].flatMap((keys) => [...keys.values()])
const invalid = (name: string, value: string, why: string) => `Invalid value ${value} for configuration ${name}: ${why}`
const emptyElement = "Configuration 'cleanup.policy' values must not be empty."
const codecs = 'String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer'
const throttled = 'leader.replication.throttled.replicas'
const replicas =
  `${throttled} must be the literal '*' or a list of replicas in the following format: ` +
  '[partitionId]:[brokerId],[partitionId]:[brokerId],...'

describe('defaults', () => {
  it.each(everyKey.filter((key) => typeof key.defaultValue === 'string'))('$name parses', (key) => {
    expect(parseConfig(key, key.defaultValue ?? '').error).toBeNull()
    // Kafka shows the default as the tables write it, so nothing is lost on the way there and back.
    expect(formatConfig(key.type, defaultConfig(key))).toBe(key.defaultValue)
  })
})

describe('parseConfig', () => {
  it('never throws, and reads back what it shows', () => {
    fc.assert(
      fc.property(fc.constantFrom(...everyKey), fc.string(), (key, text) => {
        const parsed = parseConfig(key, text)
        if (parsed.error !== null) return
        const shown = formatConfig(key.type, parsed.value) ?? ''
        expect(parseConfig(key, shown)).toEqual(parsed)
      }),
    )
  })

  it('takes every LONG and INT, and no other whole number', () => {
    const long = topicKeys.get('retention.bytes')!
    const int = topicKeys.get('internal.segment.bytes')!
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }), (value) => {
        expect(parseConfig(long, String(value)).value).toBe(BigInt.asIntN(64, value) === value ? value : undefined)
        expect(parseConfig(int, String(value)).value).toBe(
          BigInt.asIntN(32, value) === value ? Number(value) : undefined,
        )
      }),
    )
  })

  it.each([
    [0.5, '0.5'],
    [1, '1.0'],
    [Number.MAX_VALUE, '1.7976931348623157E308'],
    [1e7, '1.0E7'],
    [0.0001, '1.0E-4'],
    [123.456, '123.456'],
    [-0, '-0.0'],
    [NaN, 'NaN'],
  ])('shows %d as Java does', (value, text) => {
    expect(formatConfig('DOUBLE', value)).toBe(text)
  })
})

/** What a real controller (4.3.1) said to CreateTopics with one config. */
const observed: [name: string, value: string, message: string | null][] = [
  ['retention.ms', '', invalid('retention.ms', '', 'Not a number of type LONG')],
  ['retention.ms', ' 5 ', null],
  ['retention.ms', '-2', invalid('retention.ms', '-2', 'Value must be at least -1')],
  ['retention.ms', '+5', null],
  ['retention.ms', '0x10', invalid('retention.ms', '0x10', 'Not a number of type LONG')],
  ['retention.ms', '9223372036854775808', invalid('retention.ms', '9223372036854775808', 'Not a number of type LONG')],
  ['retention.ms', '1.5', invalid('retention.ms', '1.5', 'Not a number of type LONG')],
  ['segment.bytes', 'abc', invalid('segment.bytes', 'abc', 'Not a number of type INT')],
  ['segment.bytes', '2147483648', invalid('segment.bytes', '2147483648', 'Not a number of type INT')],
  ['segment.bytes', '1048575', invalid('segment.bytes', '1048575', 'Value must be at least 1048576')],
  ['preallocate', 'yes', invalid('preallocate', 'yes', 'Expected value to be either true or false')],
  ['preallocate', 'TRUE', null],
  ['preallocate', ' true ', null],
  ['min.cleanable.dirty.ratio', 'x', invalid('min.cleanable.dirty.ratio', 'x', 'Not a number of type DOUBLE')],
  ['min.cleanable.dirty.ratio', '1.5', invalid('min.cleanable.dirty.ratio', '1.5', 'Value must be no more than 1')],
  ['min.cleanable.dirty.ratio', '2', invalid('min.cleanable.dirty.ratio', '2.0', 'Value must be no more than 1')],
  ['min.cleanable.dirty.ratio', '-0.1', invalid('min.cleanable.dirty.ratio', '-0.1', 'Value must be at least 0')],
  ['min.cleanable.dirty.ratio', 'NaN', null],
  ['min.cleanable.dirty.ratio', '1e-2', null],
  ['min.cleanable.dirty.ratio', '0.5f', null],
  ['cleanup.policy', '', null],
  ['cleanup.policy', ' ', null],
  ['cleanup.policy', 'compact,compact', null],
  ['cleanup.policy', 'compact , delete', null],
  ['cleanup.policy', 'compact,foo', invalid('cleanup.policy', 'foo', 'String must be one of: compact, delete')],
  ['cleanup.policy', 'compact,,delete', emptyElement],
  ['cleanup.policy', ',', emptyElement],
  ['compression.type', 'foo', invalid('compression.type', 'foo', codecs)],
  ['compression.type', 'GZIP', invalid('compression.type', 'GZIP', codecs)],
  ['compression.type', ' gzip ', null],
  ['compression.type', 'none', invalid('compression.type', 'none', codecs)],
  [
    'compression.gzip.level',
    '0',
    invalid('compression.gzip.level', '0', 'Value must be between 1 and 9 or equal to -1'),
  ],
  [
    'compression.gzip.level',
    '10',
    invalid('compression.gzip.level', '10', 'Value must be between 1 and 9 or equal to -1'),
  ],
  ['compression.gzip.level', '-1', null],
  ['compression.lz4.level', '18', invalid('compression.lz4.level', '18', 'Value must be no more than 17')],
  ['compression.zstd.level', '-131073', invalid('compression.zstd.level', '-131073', 'Value must be at least -131072')],
  [
    'message.timestamp.type',
    'createtime',
    invalid('message.timestamp.type', 'createtime', 'String must be one of: CreateTime, LogAppendTime'),
  ],
  [throttled, '*', null],
  [throttled, '', null],
  [throttled, '0:1,1:2', null],
  [throttled, 'none', invalid(throttled, '[none]', replicas)],
  [throttled, '0:1,*', invalid(throttled, '[0:1, *]', replicas)],
  [
    'remote.storage.enable',
    'true',
    'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
  ],
  ['remote.log.copy.disable', 'true', null],
  ['local.retention.ms', '-3', invalid('local.retention.ms', '-3', 'Value must be at least -2')],
  ['retention.bytes', '-5', null],
  ['internal.segment.bytes', '-5', null],
  ['message.format.version', '3.0', 'Unknown topic config name: message.format.version'],
  ['', 'x', 'Unknown topic config name: '],
]

describe('validateTopicConfigs', () => {
  it.each(observed)('%s=%s', (name, value, message) => {
    expect(validateTopicConfigs([{ name, value }])).toBe(message)
  })

  it.each<[string, [string, string | null][], string | null]>([
    ['nulls come first', [['zz', '1'], ['retention.ms', null]], 'Null value not supported for topic configs: retention.ms'], // prettier-ignore
    ['all nulls are named', [['retention.ms', null], ['segment.ms', null]], 'Null value not supported for topic configs: retention.ms,segment.ms'], // prettier-ignore
    ['then unknown keys', [['retention.ms', 'abc'], ['zz', '1'], ['aa', '1']], 'Unknown topic config name: zz'], // prettier-ignore
    ['a repeated key counts once', [['retention.ms', 'abc'], ['retention.ms', '5']], null], // prettier-ignore
    [
      'lags that contradict each other',
      [['min.compaction.lag.ms', '10'], ['max.compaction.lag.ms', '5']], // prettier-ignore
      'conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
    ],
    ['lags that meet', [['min.compaction.lag.ms', '10'], ['max.compaction.lag.ms', '10']], null], // prettier-ignore
    ['local above total retention', [['local.retention.ms', '10'], ['retention.ms', '5']], null], // prettier-ignore
  ])('%s', (_what, entries, message) => {
    expect(validateTopicConfigs(entries.map(([name, value]) => ({ name, value })))).toBe(message)
  })
})
