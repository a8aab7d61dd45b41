/** Logs and metadata: in memory, or in Kafka's own files, or the caller's own. */
import { ContainerModule } from 'inversify'
import { MemoryMetadataRepository } from '../../adapters/memory-metadata/memory-metadata-repository.ts'
import { MemoryLogStore } from '../../adapters/storage-memory/memory-log-store.ts'
import type { BrokerEndpoint } from '../../domain/cluster/metadata-record.ts'
import type { ServerConfig } from '../config.ts'
import type { Adapters, StorageKind } from '../create-broker.ts'
import { parts, ports } from '../tokens.ts'

export function storageModule(_kind: StorageKind, own: Adapters): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.logStore)
      .toResolvedValue((random) => own.logStore ?? new MemoryLogStore(random), [ports.random])
      .inSingletonScope()
    bind(ports.metadata)
      .toResolvedValue(
        (random, server) =>
          own.metadata ??
          new MemoryMetadataRepository(random, {
            nodeId: server.nodeId,
            endPoints: () => endPoints(server),
            rack: server.broker.string('broker.rack'),
            minInsyncReplicas: server.broker.number('min.insync.replicas'),
          }),
        [ports.random, parts.serverConfig],
      )
      .inSingletonScope()
  })
}

/** Kafka's numbers for the security protocols in a broker's registration. */
const protocolNumbers = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 } as const

/** How this broker registers itself: what it advertises, or where it listens. */
function endPoints({ listeners, advertised }: ServerConfig): readonly BrokerEndpoint[] {
  return listeners.map((listener) => {
    const { host, port } = advertised.get(listener.name) ?? listener
    return {
      name: listener.name,
      host: host === '' ? 'localhost' : host,
      port,
      securityProtocol: protocolNumbers[listener.securityProtocol],
    }
  })
}
