/** What the tests of embedded brokers ask: a topic, records in, records out. */
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import type { BrokerAddress } from '../../src/index.ts'
import { batchOf, produceBatch, readPartition, textOf } from './records.ts'
import { WireClient } from './wire-client.ts'

export function connectTo({ host, port }: BrokerAddress): Promise<WireClient> {
  return WireClient.connect(host, port)
}

/** The new topic's id. */
export async function makeTopic(
  client: WireClient,
  name: string,
  configs: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { topics } = await client.send(createTopics, 7, {
    topics: [
      {
        name,
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ],
    timeoutMs: 5_000,
  })
  const topic = topics[0]!
  if (topic.errorCode !== 0) throw new Error(`${name}: error ${topic.errorCode}`)
  return topic.topicId
}

/** One batch to partition 0; its base offset. */
export async function put(client: WireClient, topic: string, ...values: string[]): Promise<bigint> {
  const { errorCode, baseOffset } = await produceBatch(client, topic, 0, batchOf(values))
  if (errorCode !== 0) throw new Error(`${topic}: error ${errorCode}`)
  return baseOffset
}

/** The values in partition 0. */
export async function valuesOf(client: WireClient, topic: string): Promise<readonly (string | null)[]> {
  const { records } = await readPartition(client, topic, 0)
  return records.map(({ value }) => textOf(value))
}
