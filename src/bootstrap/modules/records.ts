/** Partitions and everything that writes, reads or trims records. */
import { ContainerModule } from 'inversify'
import { deleteRecordsHandler } from '../../adapters/wire/handlers/delete-records.ts'
import { fetchHandler } from '../../adapters/wire/handlers/fetch.ts'
import { listOffsetsHandler } from '../../adapters/wire/handlers/list-offsets.ts'
import { offsetForLeaderEpochHandler } from '../../adapters/wire/handlers/offset-for-leader-epoch.ts'
import { produceHandler } from '../../adapters/wire/handlers/produce.ts'
import { FetchSessions } from '../../application/fetch-sessions.ts'
import type { ReadablePartition } from '../../application/partition.ts'
import type { Clock } from '../../application/ports/clock.ts'
import type { Timers } from '../../application/ports/timers.ts'
import { Partitions } from '../../application/partitions.ts'
import { DeleteRecords } from '../../application/use-cases/records/delete-records.ts'
import { FetchRecords } from '../../application/use-cases/records/fetch-records.ts'
import { ListOffsets } from '../../application/use-cases/records/list-offsets.ts'
import { OffsetForLeaderEpoch } from '../../application/use-cases/records/offset-for-leader-epoch.ts'
import { ProduceRecords } from '../../application/use-cases/records/produce-records.ts'
import { Waiters } from '../../application/waiters.ts'
import { TopicConfigs } from '../../domain/config/topic-config.ts'
import { memory, partitionsSettings, produceSettings } from '../settings.ts'
import { parts, ports } from '../tokens.ts'

export const recordsModule = new ContainerModule(({ bind }) => {
  bind(parts.topicConfigs)
    .toResolvedValue((config) => new TopicConfigs(config), [parts.brokerConfig])
    .inSingletonScope()

  const waiters = (clock: Clock, timers: Timers) =>
    new Waiters<ReadablePartition>(clock, timers, { keysMax: memory.waiterKeys })
  bind(parts.waiters).toResolvedValue(waiters, [ports.clock, ports.timers]).inSingletonScope()

  bind(parts.partitions)
    .toResolvedValue(
      (logStore, metadata, checksum, compressor, clock, timers, logger, topicConfigs, live, waiters, directories) =>
        new Partitions(
          { logStore, metadata, checksum, compressor, clock, timers, logger, topicConfigs, directories },
          () => partitionsSettings(live),
          (partition) => waiters.notify(partition),
        ),
      [
        ports.logStore,
        ports.metadata,
        ports.checksum,
        ports.compressor,
        ports.clock,
        ports.timers,
        ports.logger,
        parts.topicConfigs,
        parts.live,
        parts.waiters,
        parts.replicaDirectories,
      ],
    )
    .inSingletonScope()

  bind(parts.fetchSessions)
    .toResolvedValue(
      (clock, random, live) =>
        new FetchSessions(
          clock,
          random,
          () => ({
            maxIncrementalFetchSessionCacheSlots: live().number('max.incremental.fetch.session.cache.slots'),
          }),
          { partitionsMax: memory.sessionPartitions },
        ),
      [ports.clock, ports.random, parts.live],
    )
    .inSingletonScope()

  bind(parts.recordHandlers)
    .toResolvedValue(
      (partitions, metadata, sessions, waiters, clock, live, topicConfigs, enrolment) => ({
        Produce: produceHandler(new ProduceRecords(partitions, enrolment, () => produceSettings(live()))),
        Fetch: fetchHandler(
          new FetchRecords(partitions, metadata, sessions, waiters, clock, () => ({
            fetchMaxBytes: live().number('fetch.max.bytes'),
            heldBytesMax: memory.fetchBytes,
          })),
        ),
        ListOffsets: listOffsetsHandler(new ListOffsets(partitions)),
        DeleteRecords: deleteRecordsHandler(new DeleteRecords(partitions, metadata, topicConfigs)),
        OffsetForLeaderEpoch: offsetForLeaderEpochHandler(new OffsetForLeaderEpoch(partitions)),
      }),
      [
        parts.partitions,
        ports.metadata,
        parts.fetchSessions,
        parts.waiters,
        ports.clock,
        parts.live,
        parts.topicConfigs,
        parts.partitionEnrolment,
      ],
    )
    .inSingletonScope()
})
