/** Logs and metadata: in memory, or in Kafka's own files, or the caller's own. */
import { ContainerModule } from 'inversify'
import { KraftMetadataRepository } from '../../adapters/kraft-metadata/kraft-metadata-repository.ts'
import { MemoryMetadataRepository } from '../../adapters/memory-metadata/memory-metadata-repository.ts'
import { FileLogStore } from '../../adapters/storage-fs/file-log-store.ts'
import { MemoryLogStore } from '../../adapters/storage-memory/memory-log-store.ts'
import type { LogStore } from '../../application/ports/log-store.ts'
import type { Adapters, StorageKind } from '../adapters.ts'
import { kraftMetadataOptions, logDirectories, memoryMetadataOptions } from '../storage-options.ts'
import { parts, ports } from '../tokens.ts'

/** @param onLost called with the directories that failed, when nothing can be stored any more */
export function storageModule(
  kind: StorageKind,
  own: Adapters,
  onLost: (paths: readonly string[]) => void,
): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.logStore)
      .toResolvedValue(
        (server, checksum, timers, random, logger): LogStore => {
          if (own.logStore !== undefined) return own.logStore
          if (kind === 'memory') return new MemoryLogStore(random)
          return new FileLogStore({ ...logDirectories(server), checksum, timers, random, logger, onLost })
        },
        [parts.serverConfig, ports.checksum, ports.timers, ports.random, ports.logger],
      )
      .inSingletonScope()

    bind(ports.metadata)
      .toResolvedValue(
        (server, boundPorts, logStore, clock, timers, random, logger, checksum) => {
          if (own.metadata !== undefined) return own.metadata
          if (kind === 'memory') return new MemoryMetadataRepository(random, memoryMetadataOptions(server, boundPorts))
          return new KraftMetadataRepository(
            { logStore, clock, timers, random, logger, checksum },
            kraftMetadataOptions(server, boundPorts),
          )
        },
        [
          parts.serverConfig,
          parts.boundPorts,
          ports.logStore,
          ports.clock,
          ports.timers,
          ports.random,
          ports.logger,
          ports.checksum,
        ],
      )
      .inSingletonScope()

    bind(parts.onRegistered)
      .toResolvedValue(
        (logStore) => (epoch: bigint) => {
          if (logStore instanceof FileLogStore) logStore.setBrokerEpoch(epoch)
        },
        [ports.logStore],
      )
      .inSingletonScope()
  })
}
