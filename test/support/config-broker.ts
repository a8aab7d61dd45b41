/**
 * The APIs about configs over memory, asked in frames as a client sends them: no socket, no log.
 */
import { MemoryMetadataRepository } from '../../src/adapters/memory-metadata/memory-metadata-repository.ts'
import type { Api } from '../../src/adapters/wire/api.ts'
import { describeConfigs } from '../../src/adapters/wire/apis/32-describe-configs.ts'
import { alterConfigs } from '../../src/adapters/wire/apis/33-alter-configs.ts'
import { incrementalAlterConfigs } from '../../src/adapters/wire/apis/44-incremental-alter-configs.ts'
import { listConfigResources } from '../../src/adapters/wire/apis/74-list-config-resources.ts'
import type { Handler } from '../../src/adapters/wire/handler.ts'
import { alterConfigsHandler } from '../../src/adapters/wire/handlers/alter-configs.ts'
import { describeConfigsHandler } from '../../src/adapters/wire/handlers/describe-configs.ts'
import { incrementalAlterConfigsHandler } from '../../src/adapters/wire/handlers/incremental-alter-configs.ts'
import { listConfigResourcesHandler } from '../../src/adapters/wire/handlers/list-config-resources.ts'
import { readRequestBody, readRequestHeader, writeResponse } from '../../src/adapters/wire/header.ts'
import { Reader } from '../../src/adapters/codec/reader.ts'
import { Writer } from '../../src/adapters/codec/writer.ts'
import { AlterConfigs } from '../../src/application/use-cases/cluster/alter-configs.ts'
import { DescribeConfigs } from '../../src/application/use-cases/cluster/describe-configs.ts'
import { IncrementalAlterConfigs } from '../../src/application/use-cases/cluster/incremental-alter-configs.ts'
import { ListConfigResources } from '../../src/application/use-cases/cluster/list-config-resources.ts'
import { BrokerConfig } from '../../src/domain/config/broker-config.ts'
import { decodeResponse } from './topic-broker.ts'

const apis: readonly Api[] = [describeConfigs, alterConfigs, incrementalAlterConfigs, listConfigResources]

export async function openConfigBroker(topics: readonly string[]) {
  const random = { uuid: () => 'drawn0000000000000000A', integer: () => 0 }
  const repository = new MemoryMetadataRepository(random, {
    nodeId: 1,
    clusterId: 'WireGoldenAAAAAAAAAAAA',
    endPoints: () => [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
    rack: null,
    minInsyncReplicas: 1,
  })
  await repository.start()
  const records = topics.map((name, index) => {
    return { type: 'TopicRecord' as const, name, topicId: `topic${String(index).padStart(16, '0')}A` }
  })
  await repository.commit(() => ({ records, answer: null }))

  const broker = BrokerConfig.of(new Map([['node.id', '1']]))
  const handlers = new Map<number, unknown>([
    [describeConfigs.key, describeConfigsHandler(new DescribeConfigs(repository, broker))],
    [alterConfigs.key, alterConfigsHandler(new AlterConfigs(repository, broker))],
    [incrementalAlterConfigs.key, incrementalAlterConfigsHandler(new IncrementalAlterConfigs(repository, broker))],
    [listConfigResources.key, listConfigResourcesHandler(new ListConfigResources(repository))],
  ])

  /** Answers a decoded request with the bytes of the response, without their size. */
  async function answer(key: number, apiVersion: number, correlationId: number, request: unknown): Promise<Buffer> {
    const handler = handlers.get(key) as Handler<unknown, never>
    const api = apis.find((one) => one.key === key)!
    // The handlers look at the version and at nothing else of the context.
    const response = await handler(request, { apiKey: key, apiVersion } as never)
    return Buffer.concat(writeResponse(new Writer(), api, apiVersion, correlationId, response as never)).subarray(4)
  }

  return {
    repository,

    /** A request frame without its size → the response frame without its size. */
    async askFrame(frame: Buffer): Promise<Buffer> {
      const [key, version] = [frame.readInt16BE(0), frame.readInt16BE(2)]
      const api = apis.find((one) => one.key === key)!
      const reader = new Reader(frame)
      const header = readRequestHeader(api, version, reader)
      return answer(key, version, header.correlationId, readRequestBody(api, version, reader))
    },

    async ask(key: number, version: number, request: unknown): Promise<unknown> {
      const api = apis.find((one) => one.key === key)!
      return decodeResponse(api, version, await answer(key, version, 1, request))
    },
  }
}
