/**
 * The APIs about topics and the cluster over memory, asked in frames as a client sends them: no socket, no log.
 */
import { MemoryMetadataRepository } from '../../src/adapters/memory-metadata/memory-metadata-repository.ts'
import type { Api } from '../../src/adapters/wire/api.ts'
import { metadata } from '../../src/adapters/wire/apis/03-metadata.ts'
import { findCoordinator } from '../../src/adapters/wire/apis/10-find-coordinator.ts'
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import { deleteTopics } from '../../src/adapters/wire/apis/20-delete-topics.ts'
import { createPartitions } from '../../src/adapters/wire/apis/37-create-partitions.ts'
import { describeCluster } from '../../src/adapters/wire/apis/60-describe-cluster.ts'
import { describeTopicPartitions } from '../../src/adapters/wire/apis/75-describe-topic-partitions.ts'
import type { Handler } from '../../src/adapters/wire/handler.ts'
import { createPartitionsHandler } from '../../src/adapters/wire/handlers/create-partitions.ts'
import { createTopicsHandler } from '../../src/adapters/wire/handlers/create-topics.ts'
import { deleteTopicsHandler } from '../../src/adapters/wire/handlers/delete-topics.ts'
import { describeClusterHandler } from '../../src/adapters/wire/handlers/describe-cluster.ts'
import { describeTopicPartitionsHandler } from '../../src/adapters/wire/handlers/describe-topic-partitions.ts'
import { findCoordinatorHandler } from '../../src/adapters/wire/handlers/find-coordinator.ts'
import { metadataHandler } from '../../src/adapters/wire/handlers/metadata.ts'
import {
  readRequestBody,
  readRequestHeader,
  responseHeader,
  responseHeaderVersion,
  writeResponse,
} from '../../src/adapters/wire/header.ts'
import { codecOf } from '../../src/adapters/codec/codec.ts'
import { Reader } from '../../src/adapters/codec/reader.ts'
import { Writer } from '../../src/adapters/codec/writer.ts'
import { CreatePartitions } from '../../src/application/use-cases/cluster/create-partitions.ts'
import { CreateTopics } from '../../src/application/use-cases/cluster/create-topics.ts'
import { DeleteTopics } from '../../src/application/use-cases/cluster/delete-topics.ts'
import { DescribeCluster } from '../../src/application/use-cases/cluster/describe-cluster.ts'
import type { DescribeMetadataSettings } from '../../src/application/use-cases/cluster/describe-metadata.ts'
import { DescribeMetadata } from '../../src/application/use-cases/cluster/describe-metadata.ts'
import { DescribeTopicPartitions } from '../../src/application/use-cases/cluster/describe-topic-partitions.ts'
import { FindCoordinator } from '../../src/application/use-cases/cluster/find-coordinator.ts'
import type { Endpoint } from '../../src/domain/cluster/endpoints.ts'
import { BrokerConfig } from '../../src/domain/config/broker-config.ts'
import { topicSettings } from './topic-settings.ts'

export interface TopicBrokerOptions {
  readonly settings?: Partial<DescribeMetadataSettings>
  readonly deleteTopicEnable?: boolean
  readonly maxRequestPartitionSizeLimit?: number
  readonly rack?: string
}

export interface CameInOn {
  readonly listener: string
  readonly dialled: Endpoint
}

const apis: readonly Api[] = [
  metadata,
  findCoordinator,
  createTopics,
  deleteTopics,
  createPartitions,
  describeCluster,
  describeTopicPartitions,
]

export function apiOf(key: number): Api {
  return apis.find((api) => api.key === key)!
}

/** The body of a response frame (without its size). */
export function decodeResponse(api: Api, version: number, frame: Uint8Array): unknown {
  const reader = new Reader(frame)
  codecOf(responseHeader, responseHeaderVersion(api, version)).read(reader)
  const body = codecOf(api.response, version).read(reader)
  if (reader.position !== frame.length) throw new Error(`${frame.length - reader.position} bytes are left`)
  return body
}

export function decodeRequest(api: Api, version: number, frame: Uint8Array): unknown {
  const reader = new Reader(frame)
  readRequestHeader(api, version, reader)
  return readRequestBody(api, version, reader)
}

/** Topic ids are drawn from `ids`, which the caller fills, and made up when it is empty. */
export async function openTopicBroker(options: TopicBrokerOptions = {}) {
  const ids: string[] = []
  const logged: { readonly event: string; readonly fields: unknown }[] = []
  let drawn = 0
  const random = { uuid: () => ids.shift() ?? `drawn${String(drawn++).padStart(16, '0')}A`, integer: () => 0 }
  const log = (event: string, fields?: unknown) => void logged.push({ event, fields })
  const noLogs = { whenRemoved: () => Promise.resolve() }
  const logger = { debug: log, info: log, warn: log, error: log }
  const repository = new MemoryMetadataRepository(random, {
    nodeId: 1,
    clusterId: 'WireGoldenAAAAAAAAAAAA',
    endPoints: () => [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
    rack: options.rack ?? null,
    minInsyncReplicas: 1,
  })
  await repository.start()

  const settings = { ...topicSettings, ...options.settings }
  const brokerConfig = BrokerConfig.of(new Map([['node.id', '1']]))
  const { deleteTopicEnable = true, maxRequestPartitionSizeLimit = 2000 } = options
  const handlers = new Map<number, unknown>([
    [metadata.key, metadataHandler(new DescribeMetadata(repository, random, logger, () => settings))],
    [findCoordinator.key, findCoordinatorHandler(new FindCoordinator(repository, random, logger, () => settings))],
    [
      createTopics.key,
      createTopicsHandler(new CreateTopics(repository, random, logger, () => ({ ...settings, brokerConfig }))),
    ],
    [
      deleteTopics.key,
      deleteTopicsHandler(new DeleteTopics(repository, noLogs, logger, () => ({ deleteTopicEnable }))),
    ],
    [createPartitions.key, createPartitionsHandler(new CreatePartitions(repository, logger))],
    [describeCluster.key, describeClusterHandler(new DescribeCluster(repository, () => settings))],
    [
      describeTopicPartitions.key,
      describeTopicPartitionsHandler(
        new DescribeTopicPartitions(repository, () => ({ ...settings, maxRequestPartitionSizeLimit })),
      ),
    ],
  ])

  /** Handles a decoded request; the response has been through bytes when it comes back. */
  async function ask(
    key: number,
    apiVersion: number,
    request: unknown,
    { listener, dialled }: CameInOn,
  ): Promise<unknown> {
    const api = apiOf(key)
    const handler = handlers.get(key) as Handler<unknown, never>
    const response = await handler(request, {
      apiKey: key,
      apiVersion,
      correlationId: 7,
      clientId: 'test',
      connection: {
        id: 'c1',
        listener,
        localAddress: dialled.host,
        localPort: dialled.port,
        clientHost: '/127.0.0.1',
        principal: 'User:ANONYMOUS',
        software: null,
        identify: () => undefined,
      },
      lease: { retain: () => undefined, release: () => undefined },
      afterSent: () => undefined,
      onAbandoned: () => undefined,
    })
    const chunks = writeResponse(new Writer(), api, apiVersion, 7, response as never)
    return decodeResponse(api, apiVersion, Buffer.concat(chunks).subarray(4))
  }

  return { repository, ids, logged, ask }
}
