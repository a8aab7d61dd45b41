/**
 * The rows of `behaviour.jsonl` about topics, the cluster and coordinators: what Apache Kafka 4.3.1 answered to odd
 * requests, each asked here of a broker with the topics that the real one had.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import type { MetadataRecord } from '../../../../src/domain/cluster/metadata-record.ts'
import { apiOf, decodeRequest, decodeResponse, openTopicBroker } from '../../../support/topic-broker.ts'

interface Row {
  readonly row: number
  readonly api: string
  readonly what: string
  readonly requestHex: string
  readonly responseHex: string | null
}

const apis: Readonly<Record<string, number>> = {
  Metadata: 3,
  FindCoordinator: 10,
  CreateTopics: 19,
  DeleteTopics: 20,
  CreatePartitions: 37,
  DescribeCluster: 60,
  DescribeTopicPartitions: 75,
}

/** Rows 25 to 37 are about frames, not about topics; 369 stands in the log after a fault of the controller. */
const rows = readFileSync(new URL('../../../fixtures/wire/behaviour.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row)
  .filter(({ row, api }) => row >= 42 && row !== 369 && apis[api.split(' ')[0]!] !== undefined)

const topics = [
  { name: 'beh', topicId: 'PX5bDGBIT3u7aOvQRfBfSA', partitions: 2 },
  { name: 'del', topicId: 'del0000000000000000000', partitions: 1 },
  { name: 'coll.a', topicId: 'coll000000000000000000', partitions: 1 },
  { name: 'auto1', topicId: '0SfG8VEGRhCpKtDZxfAuHw', partitions: 1 },
]

function records(): MetadataRecord[] {
  return topics.flatMap(({ name, topicId, partitions }): MetadataRecord[] => [
    { type: 'TopicRecord', name, topicId },
    ...Array.from({ length: partitions }, (_, partitionId): MetadataRecord => ({
      type: 'PartitionRecord',
      partitionId,
      topicId,
      replicas: [1],
      isr: [1],
      removingReplicas: [],
      addingReplicas: [],
      leader: 1,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [],
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    })),
  ])
}

type Topic = Record<string, unknown> & { readonly configs?: readonly { readonly name: string }[] | null }

/** Topic ids of topics made by the request are random, and 4.4 has topic configs that 4.3.1 lacks. */
function comparable(key: number, body: unknown): unknown {
  if (key !== apis.CreateTopics) return body
  const { topics: created, ...rest } = body as { readonly topics: readonly Topic[] }
  return {
    ...rest,
    topics: created.map(({ topicId, configs, ...topic }) => ({
      ...topic,
      hasId: topicId !== 'AAAAAAAAAAAAAAAAAAAAAA',
      configs: configs?.filter(({ name }) => !/^(errors\.dead|max\.decomp|remote\.copy\.)/.test(name)),
    })),
  }
}

describe('odd requests about topics get the answer of a real broker', () => {
  it.each(rows)('row $row: $api, $what', async ({ api, requestHex, responseHex }) => {
    const [name, version] = api.split(' v') as [string, string]
    const key = apis[name]!
    const broker = await openTopicBroker()
    await broker.repository.commit(() => ({ records: records(), answer: null }))
    const request = decodeRequest(apiOf(key), Number(version), Buffer.from(requestHex, 'hex'))
    const expected = decodeResponse(apiOf(key), Number(version), Buffer.from(responseHex!, 'hex'))
    const dialled = { host: '127.0.0.1', port: 29170 }
    const answer = await broker.ask(key, Number(version), request, { listener: 'PLAINTEXT', dialled })
    expect(comparable(key, answer)).toEqual(comparable(key, expected))
  })
})
