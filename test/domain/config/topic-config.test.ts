import { describe, expect, it } from '@jest/globals'
import { evolve } from '../../../src/domain/cluster/cluster-evolution.ts'
import { BrokerConfig } from '../../../src/domain/config/broker-config.ts'
import { effectiveTopicConfig, TopicConfigs, topicConfigOf } from '../../../src/domain/config/topic-config.ts'
import { imageWith } from '../../support/cluster-images.ts'

const brokerOf = (texts: Record<string, string>) =>
  BrokerConfig.of(new Map(Object.entries({ 'node.id': '1', ...texts })))
const plain = brokerOf({})

describe('topicConfigOf', () => {
  it('has Kafka’s defaults', () => {
    expect(topicConfigOf(new Map(), plain)).toMatchObject({
      cleanupPolicy: { compact: false, delete: true },
      compressionType: 'producer',
      flushMessages: 2n ** 63n - 1n,
      maxMessageBytes: 1_048_588,
      messageTimestampType: 'CreateTime',
      minCleanableDirtyRatio: 0.5,
      minInsyncReplicas: 1,
      preallocate: false,
      retentionBytes: -1n,
      retentionMs: 604_800_000n,
      segmentBytes: 1_073_741_824,
      segmentIndexBytes: 10_485_760,
      segmentJitterMs: 0n,
      segmentMs: 604_800_000n,
    })
  })

  it.each([
    [{ 'log.retention.hours': '2' }, { retentionMs: 7_200_000n }],
    [{ 'log.retention.hours': '2', 'log.retention.minutes': '1' }, { retentionMs: 60_000n }],
    [{ 'log.retention.hours': '2', 'log.retention.minutes': '1', 'log.retention.ms': '7' }, { retentionMs: 7n }],
    [{ 'log.retention.ms': '-5' }, { retentionMs: -1n }],
    [{ 'log.retention.hours': '-1' }, { retentionMs: -1n }],
    [{ 'log.roll.hours': ' +2 ' }, { segmentMs: 7_200_000n }],
    [{ 'log.roll.jitter.hours': '1' }, { segmentJitterMs: 3_600_000n }],
    [{ 'log.flush.scheduler.interval.ms': '9' }, { flushMs: 9n }],
    [{ 'log.cleanup.policy': 'compact, delete' }, { cleanupPolicy: { compact: true, delete: true } }],
    [{ 'message.max.bytes': '7' }, { maxMessageBytes: 7 }],
  ])('takes %j from the broker', (texts, expected) => {
    expect(topicConfigOf(new Map(), brokerOf(texts))).toMatchObject(expected)
  })

  it('lets the internal segment size win', () => {
    const texts = new Map([
      ['segment.bytes', '2097152'],
      ['internal.segment.bytes', '100'],
    ])
    expect(topicConfigOf(texts, plain).segmentBytes).toBe(100)
  })

  it('takes nonsense that a log holds for unset', () => {
    expect(topicConfigOf(new Map([['retention.ms', 'abc']]), plain).retentionMs).toBe(604_800_000n)
  })
})

describe('effectiveTopicConfig', () => {
  it('asks the topic, this broker, all brokers, the file, in this order', () => {
    const broker = brokerOf({ 'log.retention.ms': '4' })
    const layers = [
      { type: 'BROKER', name: '', configs: { 'log.retention.ms': '3' } },
      { type: 'BROKER', name: '1', configs: { 'log.retention.ms': '2' } },
      { type: 'TOPIC', name: 't', configs: { 'retention.ms': '1' } },
    ] as const
    const retention = [0, 1, 2, 3].map(
      (n) => effectiveTopicConfig(imageWith(layers.slice(0, n)), 't', broker).retentionMs,
    )
    expect(retention).toEqual([4n, 3n, 2n, 1n])
  })
})

describe('BrokerConfig.at', () => {
  it('drops a weaker key’s synonyms, and passes over what cannot be set at run time', () => {
    const broker = brokerOf({ 'log.retention.hours': '5', 'num.partitions': '3' })
    const configs = { 'log.retention.ms': '7', 'num.partitions': '9', 'message.max.bytes': 'abc' }
    const now = broker.at(imageWith([{ type: 'BROKER', name: '', configs }]))
    expect(now.bigint('log.retention.ms')).toBe(7n)
    expect(now.ownValue('log.retention.hours')).toBe(168)
    expect([now.number('num.partitions'), now.number('message.max.bytes')]).toEqual([3, 1_048_588])
  })

  it('ignores the values of other brokers', () => {
    const image = imageWith([{ type: 'BROKER', name: '2', configs: { 'message.max.bytes': '5' } }])
    expect(plain.at(image).number('message.max.bytes')).toBe(1_048_588)
  })

  it('stays one object while nothing of the broker changes', () => {
    const image = imageWith([{ type: 'BROKER', name: '1', configs: { 'message.max.bytes': '5' } }], ['t'])
    const record = {
      type: 'ConfigRecord',
      resourceType: 2,
      resourceName: 't',
      name: 'retention.ms',
      value: '5',
    } as const
    const later = evolve(image, [record])
    expect(plain.at(later)).toBe(plain.at(image))
    expect(plain.at(later).number('message.max.bytes')).toBe(5)
  })
})

describe('TopicConfigs', () => {
  const image = imageWith([{ type: 'TOPIC', name: 'a', configs: { 'retention.ms': '1' } }], ['a', 'b'])
  const change = (resourceType: number, resourceName: string, name: string) => {
    return evolve(image, [{ type: 'ConfigRecord', resourceType, resourceName, name, value: '9' }])
  }

  it('answers the same object until the topic’s own configs change', () => {
    const configs = new TopicConfigs(plain)
    const [a, b] = [configs.of(image, 'a'), configs.of(image, 'b')]
    expect([a.retentionMs, b.retentionMs]).toEqual([1n, 604_800_000n])
    const later = change(2, 'a', 'segment.ms')
    expect(configs.of(later, 'b')).toBe(b)
    expect(configs.of(later, 'a')).not.toBe(a)
    expect(configs.of(later, 'a').segmentMs).toBe(9n)
  })

  it('answers anew when the broker’s change', () => {
    const configs = new TopicConfigs(plain)
    configs.of(image, 'b')
    expect(configs.of(change(4, '', 'log.retention.ms'), 'b').retentionMs).toBe(9n)
  })

  it('answers for topics that do not exist', () => {
    expect(new TopicConfigs(plain).of(image, 'nope').retentionMs).toBe(604_800_000n)
  })
})
