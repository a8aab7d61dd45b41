/**
 * Assembles a broker from a configuration and, where the caller brings some, from the caller's own adapters.
 *
 * One fresh container for each broker; what the caller brings is bound before anything is built, and nothing but this
 * folder knows the container.
 */
import 'reflect-metadata'
import { Container } from 'inversify'
import { silentLogger } from '../adapters/observability/silent-logger.ts'
import type { Adapters, StorageKind } from './adapters.ts'
import { Broker } from './broker.ts'
import { loadConfig, type ServerConfig } from './config.ts'
import { clusterModule } from './modules/cluster.ts'
import { groupsModule } from './modules/groups.ts'
import { maintenanceModule } from './modules/maintenance.ts'
import { recordsModule } from './modules/records.ts'
import { storageModule } from './modules/storage.ts'
import { replicasModule } from './modules/replicas.ts'
import { systemModule } from './modules/system.ts'
import { transactionLogModule } from './modules/transaction-log.ts'
import { transactionsModule } from './modules/transactions.ts'
import { wireModule } from './modules/wire.ts'
import { parts, ports } from './tokens.ts'

/** Kafka's own broker keys; numbers and booleans are taken as their text. */
export type BrokerProperties = Readonly<Record<string, string | number | boolean>>

/**
 * A broker that is not started yet. Without `log.dirs` (or `log.dir`) it keeps its data in memory; without `listeners`
 * it listens on a free port of 127.0.0.1.
 *
 * @throws ConfigError naming the key and the value that is refused
 */
export function createBroker(properties: BrokerProperties = {}, adapters: Adapters = {}): Broker {
  const given = Object.entries(properties).map(([key, value]) => [key, String(value)] as const)
  const texts = { listeners: 'PLAINTEXT://127.0.0.1:0', ...Object.fromEntries(given) }
  const config = loadConfig({ file: null, properties: texts, env: {}, overrides: [], directory: process.cwd() })
  const onDisk = 'log.dirs' in texts || 'log.dir' in texts
  return assemble(config, onDisk ? 'directory' : 'memory', { logger: silentLogger, ...adapters })
}

/** @param onLost called with the log directories that failed, when nothing can be stored any more */
export function assemble(
  config: ServerConfig,
  storage: StorageKind,
  adapters: Adapters,
  onLost: (paths: readonly string[]) => void = () => undefined,
): Broker {
  const container = new Container()
  const boundPorts = new Map<string, number>()
  container.bind(parts.boundPorts).toConstantValue(boundPorts)
  container.bind(parts.serverConfig).toConstantValue(config)
  container.bind(parts.brokerConfig).toConstantValue(config.broker)
  container
    .bind(parts.live)
    .toResolvedValue((metadata) => () => config.broker.at(metadata.image()), [ports.metadata])
    .inSingletonScope()
  container.load(
    systemModule(adapters),
    storageModule(storage, adapters, onLost),
    recordsModule,
    replicasModule,
    groupsModule,
    transactionsModule,
    transactionLogModule,
    maintenanceModule,
    clusterModule,
    wireModule,
  )
  for (const warning of config.warnings) container.get(ports.logger).warn('configuration', { warning })
  return new Broker({
    logStore: container.get(ports.logStore),
    metadata: container.get(ports.metadata),
    partitions: container.get(parts.partitions),
    // a broker that cleans nothing has nobody who applies retention to compacted topics either, as Kafka
    tasks: [
      container.get(parts.replicaMoves),
      container.get(parts.applyRetention),
      container.get(parts.cleanOffsets),
      container.get(parts.abortTimedOut),
      container.get(parts.expireTransactionalIds),
      ...(config.broker.boolean('log.cleaner.enable') ? [container.get(parts.compactLogs)] : []),
    ],
    groups: container.get(parts.groupCoordinator),
    transactions: container.get(parts.transactionCoordinator),
    server: container.get(parts.server),
    listening: {
      listeners: config.listeners,
      socketListenBacklogSize: config.broker.number('socket.listen.backlog.size'),
    },
    onBound: (listeners) => {
      for (const { name, port } of listeners) boundPorts.set(name, port)
    },
    waiters: container.get(parts.waiters),
    logger: container.get(ports.logger),
    nodeId: config.nodeId,
    onRegistered: container.get(parts.onRegistered),
  })
}
