/** The frames that the load sends, encoded once with the project's own schemas, and what right answers look like. */
import { crc32c } from '@node-rs/crc32'
import { produce } from '../src/adapters/wire/apis/00-produce.ts'
import { fetch } from '../src/adapters/wire/apis/01-fetch.ts'
import { metadata } from '../src/adapters/wire/apis/03-metadata.ts'
import { apiVersions } from '../src/adapters/wire/apis/18-api-versions.ts'
import { listOffsets } from '../src/adapters/wire/apis/02-list-offsets.ts'
import { createTopics } from '../src/adapters/wire/apis/19-create-topics.ts'
import { deleteTopics } from '../src/adapters/wire/apis/20-delete-topics.ts'
import { incrementalAlterConfigs } from '../src/adapters/wire/apis/44-incremental-alter-configs.ts'
import { buildBatch } from '../src/domain/log/batch-writer.ts'
import { decodeResponse, encodeRequest } from '../test/support/wire-client.ts'
import { ask } from './load-client.ts'

/** Versions that every broker of the last years serves, so that `--bootstrap` can point at any. */
const versions = { produce: 7, fetch: 11, listOffsets: 2, createTopics: 4, deleteTopics: 3, metadata: 5 } as const

export const encodeRequestFrame = {
  apiVersions: (): Uint8Array => encodeRequest(apiVersions, 0, {}),

  produce: (
    topic: string,
    partitionData: readonly { readonly index: number; readonly records: Uint8Array }[],
    acks: number,
  ): Uint8Array =>
    encodeRequest(produce, versions.produce, { acks, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] }),

  fetch: (topic: string, fetchOffset: bigint, bytes: number): Uint8Array =>
    encodeRequest(fetch, versions.fetch, {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: bytes,
      sessionEpoch: -1,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: bytes }] }],
    }),

  /** One batch of `count` records with values of `size` random-looking bytes. */
  batch(count: number, size: number): Uint8Array {
    const value = Buffer.alloc(size)
    for (let i = 0; i < size; i++) value[i] = (i * 31 + 7) & 0xff
    const records = Array.from({ length: count }, () => ({ timestamp: BigInt(Date.now()), key: null, value }))
    return buildBatch(records, {}, (bytes) => crc32c(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
  },
}

export const checkAnswer = {
  produce(answer: Buffer): void {
    const { responses } = decodeResponse(produce, versions.produce, answer)
    const codes = responses.flatMap((topic) => topic.partitionResponses.map((p) => p.errorCode))
    if (codes.some((code) => code !== 0)) throw new Error(`produce was answered with ${String(codes)}`)
  },
  fetch(answer: Buffer): void {
    const partition = decodeResponse(fetch, versions.fetch, answer).responses[0]?.partitions[0]
    if (partition?.errorCode !== 0 || !partition.records?.length) throw new Error('fetch brought no records')
  },
}

/** Creates the topic and waits until each of its partitions has a leader. */
export async function createTopic(
  host: string,
  port: number,
  name: string,
  partitions: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const configs = Object.entries(settings).map(([key, value]) => ({ name: key, value }))
  const create = encodeRequest(createTopics, versions.createTopics, {
    topics: [{ name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs }],
    timeoutMs: 30_000,
  })
  const code = decodeResponse(createTopics, versions.createTopics, await ask(host, port, create)).topics[0]!.errorCode
  if (code !== 0 && code !== 36) throw new Error(`CreateTopics was answered with ${String(code)}`)
  const describe = encodeRequest(metadata, versions.metadata, { topics: [{ name }], allowAutoTopicCreation: false })
  for (;;) {
    const topic = decodeResponse(metadata, versions.metadata, await ask(host, port, describe)).topics[0]!
    if (topic.partitions.length === partitions && topic.partitions.every((p) => p.leaderId >= 0)) break
  }
  // Kafka tells of leaders before they take anything.
  const asked = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n }))
  const ends = encodeRequest(listOffsets, versions.listOffsets, {
    replicaId: -1,
    topics: [{ name, partitions: asked }],
  })
  for (;;) {
    const { topics } = decodeResponse(listOffsets, versions.listOffsets, await ask(host, port, ends))
    if (topics[0]!.partitions.every(({ errorCode }) => errorCode === 0)) return
  }
}

/** Sets one config of a topic. */
export async function alterTopic(host: string, port: number, name: string, key: string, value: string): Promise<void> {
  const alter = encodeRequest(incrementalAlterConfigs, 0, {
    resources: [{ resourceType: 2, resourceName: name, configs: [{ name: key, configOperation: 0, value }] }],
    validateOnly: false,
  })
  const answer = decodeResponse(incrementalAlterConfigs, 0, await ask(host, port, alter)).responses[0]!
  if (answer.errorCode !== 0) throw new Error(`${key} was not set: ${String(answer.errorMessage)}`)
}

export async function deleteTopic(host: string, port: number, name: string): Promise<void> {
  const request = encodeRequest(deleteTopics, versions.deleteTopics, { topicNames: [name], timeoutMs: 30_000 })
  const answer = decodeResponse(deleteTopics, versions.deleteTopics, await ask(host, port, request))
  const code = answer.responses[0]!.errorCode
  if (code !== 0) throw new Error(`DeleteTopics was answered with ${String(code)}`)
}
