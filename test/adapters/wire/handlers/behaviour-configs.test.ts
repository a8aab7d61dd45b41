/**
 * The rows of `behaviour.jsonl` about configs: what Apache Kafka 4.3.1 answered to odd requests, byte for byte.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { DescribeConfigs } from '../../../../src/application/use-cases/cluster/describe-configs.ts'
import { configsOf } from '../../../../src/domain/cluster/cluster-image.ts'
import { BrokerConfig } from '../../../../src/domain/config/broker-config.ts'
import { openConfigBroker } from '../../../support/config-broker.ts'

interface Row {
  readonly row: number
  readonly api: string
  readonly what: string
  readonly requestHex: string
  readonly responseHex: string | null
}

const rows = readFileSync(new URL('../../../fixtures/wire/behaviour.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row)
  .filter(({ api }) => /^(DescribeConfigs|AlterConfigs|IncrementalAlterConfigs|ListConfigResources) /.test(api))

const TOPIC = 2
const BROKER = 4
const METRICS = 16
const GROUP = 32

describe('odd requests about configs get the answer of a real broker', () => {
  it.each(rows)('$row: $api, $what', async ({ requestHex, responseHex }) => {
    const broker = await openConfigBroker(['beh'])
    expect((await broker.askFrame(Buffer.from(requestHex, 'hex'))).toString('hex')).toBe(responseHex)
  })

  it('finds them all', () => {
    expect(rows.map(({ row }) => row)).toEqual([99, 100, 101, 102, 104, 105, 106, 107, 109, 110, 111, 112, 114, 115])
  })
})

function describing(resourceType: number, resourceName: string, configurationKeys: readonly string[] | null = null) {
  return { resourceType, resourceName, configurationKeys }
}

interface DescribedResponse {
  readonly results: readonly {
    readonly errorCode: number
    readonly errorMessage: string | null
    readonly configs: readonly { readonly name: string; readonly value: string | null; readonly synonyms: unknown[] }[]
  }[]
}

async function describeAll(resources: readonly unknown[], version = 4, includeSynonyms = true) {
  const broker = await openConfigBroker(['t1'])
  const request = { resources, includeSynonyms, includeDocumentation: false }
  return ((await broker.ask(32, version, request)) as DescribedResponse).results
}

describe('DescribeConfigs', () => {
  it.each([
    [describing(TOPIC, 'nope'), 3, ''],
    [describing(BROKER, 'x'), 42, 'Broker id must be an integer, but it is: x'],
    [describing(8, '9'), 42, 'Unexpected broker id, expected 1 but received 9'],
    [describing(8, ''), 42, 'Broker id must not be empty'],
    [describing(GROUP, ''), 42, 'Group name must not be empty'],
    [describing(METRICS, ''), 42, 'Client metrics subscription name must not be empty'],
    [describing(GROUP, 'no group'), 0, ''],
    [describing(METRICS, 'no subscription'), 0, ''],
    [describing(8, '1'), 0, ''],
    [describing(BROKER, '01'), 0, ''],
  ])('%j → %i', async (resource, code, message) => {
    const [result] = await describeAll([resource])
    expect([result?.errorCode, result?.errorMessage]).toEqual([code, message])
  })

  it('answers each resource for itself', async () => {
    const results = await describeAll([describing(TOPIC, 't1'), describing(77, 'x'), describing(TOPIC, 'nope')])
    expect(results.map((result) => result.errorCode)).toEqual([0, 42, 3])
  })

  it('describes only the keys asked for, all when none is', async () => {
    const [some, all] = await describeAll([
      describing(TOPIC, 't1', ['segment.ms', 'zzz', 'retention.ms']),
      describing(TOPIC, 't1', []),
    ])
    expect(some?.configs.map((config) => config.name)).toEqual(['retention.ms', 'segment.ms'])
    expect(all?.configs).toHaveLength(37)
  })

  it('leaves synonyms out unless asked', async () => {
    const [result] = await describeAll([describing(BROKER, '1', ['num.partitions'])], 4, false)
    expect(result?.configs.map((config) => config.synonyms)).toEqual([[]])
  })

  it.each([1, 2, 3, 4])('can be written at version %i', async (version) => {
    const [broker] = await describeAll([describing(BROKER, '1')], version)
    expect(broker?.configs.length).toBeGreaterThan(340)
  })

  it('stops before a small request makes a huge answer', async () => {
    const resources = Array.from({ length: 5000 }, () => describing(BROKER, '1'))
    const broker = await openConfigBroker([])
    const useCase = new DescribeConfigs(broker.repository, BrokerConfig.of(new Map([['node.id', '1']])))
    const results = useCase.execute({ resources })
    expect(results.at(-1)).toMatchObject({ error: 'INVALID_REQUEST', configs: [] })
    expect(results.filter((result) => result.error === 'NONE').length).toBeLessThan(3000)
  })
})

describe('altering', () => {
  const alteration = (resourceType: number, resourceName: string, value: string) => {
    return { resourceType, resourceName, configs: [{ name: 'retention.ms', configOperation: 0, value }] }
  }

  it('is committed, and shown', async () => {
    const broker = await openConfigBroker(['t1'])
    await broker.ask(44, 1, { resources: [alteration(TOPIC, 't1', '5')], validateOnly: false })
    expect(configsOf(broker.repository.image(), 'TOPIC', 't1')).toEqual(new Map([['retention.ms', '5']]))
    await broker.ask(33, 2, {
      resources: [{ resourceType: TOPIC, resourceName: 't1', configs: [{ name: 'segment.ms', value: '7' }] }],
      validateOnly: false,
    })
    expect(configsOf(broker.repository.image(), 'TOPIC', 't1')).toEqual(new Map([['segment.ms', '7']]))
  })

  it('is not committed when it is only to be validated', async () => {
    const broker = await openConfigBroker(['t1'])
    await broker.ask(44, 0, { resources: [alteration(TOPIC, 't1', '5')], validateOnly: true })
    await broker.ask(33, 0, { resources: [alteration(TOPIC, 't1', '5')], validateOnly: true })
    expect(configsOf(broker.repository.image(), 'TOPIC', 't1').size).toBe(0)
  })

  it('fails for one resource and works for the other', async () => {
    const broker = await openConfigBroker(['t1'])
    const resources = [alteration(TOPIC, 'nope', '5'), alteration(TOPIC, 't1', '5')]
    const { responses } = (await broker.ask(44, 1, { resources, validateOnly: false })) as {
      readonly responses: readonly { readonly errorCode: number; readonly resourceName: string }[]
    }
    expect(responses.map(({ errorCode, resourceName }) => [errorCode, resourceName])).toEqual([
      [3, 'nope'],
      [0, 't1'],
    ])
    expect(configsOf(broker.repository.image(), 'TOPIC', 't1').size).toBe(1)
  })
})

describe('ListConfigResources', () => {
  async function list(resourceTypes: readonly number[], version = 1) {
    const broker = await openConfigBroker(['t1'])
    const set = (resourceType: number, resourceName: string, name: string) => {
      return { resourceType, resourceName, configs: [{ name, configOperation: 0, value: '50000' }] }
    }
    const resources = [set(GROUP, 'g', 'consumer.session.timeout.ms'), set(METRICS, 'm', 'interval.ms')]
    await broker.ask(44, 1, { resources, validateOnly: false })
    return (await broker.ask(74, version, { resourceTypes })) as {
      readonly errorCode: number
      readonly configResources: readonly { readonly resourceName: string; readonly resourceType: number }[]
    }
  }

  it.each([
    [[], [['g', 32], ['m', 16], ['1', 8], ['1', 4], ['t1', 2]]], // prettier-ignore
    [[2], [['t1', 2]]],
    [[2, 4], [['1', 4], ['t1', 2]]], // prettier-ignore
    [[32], [['g', 32]]],
  ])('of the types %j', async (types, expected) => {
    const { errorCode, configResources } = await list(types)
    expect(errorCode).toBe(0)
    expect(configResources.map(({ resourceName, resourceType }) => [resourceName, resourceType])).toEqual(expected)
  })

  it('knows no other types', async () => {
    expect(await list([77])).toMatchObject({ errorCode: 35, configResources: [] })
    expect(await list([0])).toMatchObject({ errorCode: 35, configResources: [] })
  })

  it('lists client metrics subscriptions at version 0', async () => {
    const { configResources } = await list([], 0)
    expect(configResources.map(({ resourceName }) => resourceName)).toEqual(['m'])
  })
})
