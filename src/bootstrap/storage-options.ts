/** What the storage and metadata adapters are told, read off the broker's keys when it is assembled. */
import { resolve } from 'node:path'
import type { KraftMetadataOptions } from '../adapters/kraft-metadata/kraft-metadata-options.ts'
import type { MemoryMetadataOptions } from '../adapters/memory-metadata/memory-metadata-repository.ts'
import type { FileLogStoreOptions } from '../adapters/storage-fs/file-log-store.ts'
import { logsPerDirectory } from '../application/recover-logs.ts'
import type { BrokerEndpoint } from '../domain/cluster/metadata-record.ts'
import type { ServerConfig } from './config.ts'
import type { Listener } from './listeners.ts'

export function logDirectories(
  server: ServerConfig,
): Pick<FileLogStoreOptions, 'directories' | 'metadataDirectory' | 'checkpointIntervalMs' | 'openingMax'> {
  return {
    directories: server.logDirs,
    metadataDirectory: metadataDirectory(server),
    checkpointIntervalMs: server.broker.number('log.flush.offset.checkpoint.interval.ms'),
    openingMax: Math.max(
      8,
      server.logDirs.length * logsPerDirectory(server.broker.number('num.recovery.threads.per.data.dir')),
    ),
  }
}

function metadataDirectory({ broker, logDirs }: ServerConfig): string {
  const own = broker.string('metadata.log.dir')
  return own === null ? logDirs[0]! : resolve(own)
}

export function kraftMetadataOptions(
  server: ServerConfig,
  boundPorts: ReadonlyMap<string, number>,
): KraftMetadataOptions {
  const { broker, logDirs, controllerListeners } = server
  return {
    ...memoryMetadataOptions(server, boundPorts),
    logDirs,
    metadataLogDir: metadataDirectory(server),
    controllerEndPoints: () => controllerListeners.map(endPoint),
    maxRecordBytesBetweenSnapshots: Number(broker.bigint('metadata.log.max.record.bytes.between.snapshots')),
    maxSnapshotIntervalMs: Number(broker.bigint('metadata.log.max.snapshot.interval.ms')),
    maxRetentionBytes: Number(broker.bigint('metadata.max.retention.bytes')),
    maxRetentionMs: Number(broker.bigint('metadata.max.retention.ms')),
    segmentBytes: broker.number('metadata.log.segment.bytes'),
    segmentMs: broker.bigint('metadata.log.segment.ms'),
  }
}

export function memoryMetadataOptions(
  server: ServerConfig,
  boundPorts: ReadonlyMap<string, number>,
): MemoryMetadataOptions {
  return {
    nodeId: server.nodeId,
    endPoints: () => advertisedEndPoints(server, boundPorts),
    rack: server.broker.string('broker.rack'),
    minInsyncReplicas: server.broker.number('min.insync.replicas'),
  }
}

/** How this broker registers itself: what it advertises, or where it listens. */
function advertisedEndPoints(
  { listeners, advertised }: ServerConfig,
  boundPorts: ReadonlyMap<string, number>,
): readonly BrokerEndpoint[] {
  return listeners.map((listener) =>
    endPoint(advertised.get(listener.name) ?? { ...listener, port: boundPorts.get(listener.name) ?? listener.port }),
  )
}

/** Kafka's numbers for the security protocols in a registration. */
const protocolNumbers = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 } as const

function endPoint({ name, host, port, securityProtocol }: Listener): BrokerEndpoint {
  return { name, host: host === '' ? 'localhost' : host, port, securityProtocol: protocolNumbers[securityProtocol] }
}
