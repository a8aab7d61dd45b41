/** The few requests that these tests send, reduced to what they are about. */
import { produce } from '../../../src/adapters/wire/apis/00-produce.ts'
import { fetch } from '../../../src/adapters/wire/apis/01-fetch.ts'
import { createTopics } from '../../../src/adapters/wire/apis/19-create-topics.ts'
import type { WireClient } from '../../support/wire-client.ts'
import { storedValues } from './batches.ts'

/** Answers the code of the error, 0 for none. */
export async function createTopic(
  client: WireClient,
  name: string,
  numPartitions = 1,
  configs: Readonly<Record<string, string>> = {},
): Promise<number> {
  const topic = {
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }
  const { topics } = await client.send(createTopics, 5, { topics: [topic], timeoutMs: 10_000, validateOnly: false })
  return topics[0]!.errorCode
}

export function produceRequest(topic: string, partition: number, records: Uint8Array, acks = -1) {
  const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }]
  return { transactionalId: null, acks, timeoutMs: 1000, topicData }
}

/** Produces one batch: its first offset, or the code of the error. */
export async function send(
  client: WireClient,
  topic: string,
  partition: number,
  records: Uint8Array,
): Promise<bigint | number> {
  const { responses } = await client.send(produce, 9, produceRequest(topic, partition, records))
  const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
  return errorCode === 0 ? baseOffset : errorCode
}

export function fetchRequest(topic: string, partition: number, offset: bigint, maxBytes = 1 << 20, maxWaitMs = 0) {
  const asked = {
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: offset,
    logStartOffset: -1n,
    partitionMaxBytes: maxBytes,
  }
  return {
    replicaId: -1,
    maxWaitMs,
    minBytes: 0,
    maxBytes,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, partitions: [asked] }],
    forgottenTopicsData: [],
    rackId: '',
  }
}

/** All that is in a partition from `offset` on (uncompressed batches), or the code of the error. */
export async function readAll(
  client: WireClient,
  topic: string,
  partition: number,
  offset = 0n,
): Promise<{ readonly offset: bigint; readonly value: string }[] | number> {
  const all: { offset: bigint; value: string }[] = []
  for (let from = offset; ;) {
    const { responses } = await client.send(fetch, 11, fetchRequest(topic, partition, from))
    const { errorCode, records, highWatermark } = responses[0]!.partitions[0]!
    if (errorCode !== 0) return errorCode
    if (records !== null) all.push(...storedValues(records).filter((found) => found.offset >= from))
    const last = all.at(-1)?.offset
    if (last === undefined || last < from || last + 1n >= highWatermark) return all
    from = last + 1n
  }
}
