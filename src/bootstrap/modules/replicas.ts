/** Where replicas are, and their moves between its log directories. */
import { ContainerModule } from 'inversify'
import { alterPartitionReassignmentsHandler } from '../../adapters/wire/handlers/alter-partition-reassignments.ts'
import { alterReplicaLogDirsHandler } from '../../adapters/wire/handlers/alter-replica-log-dirs.ts'
import { describeLogDirsHandler } from '../../adapters/wire/handlers/describe-log-dirs.ts'
import { listPartitionReassignmentsHandler } from '../../adapters/wire/handlers/list-partition-reassignments.ts'
import { ReplicaDirectories } from '../../application/replica-directories.ts'
import { ReplicaMoves } from '../../application/replica-moves.ts'
import { AlterPartitionReassignments } from '../../application/use-cases/cluster/alter-partition-reassignments.ts'
import { AlterReplicaLogDirs } from '../../application/use-cases/cluster/alter-replica-log-dirs.ts'
import { ListPartitionReassignments } from '../../application/use-cases/cluster/list-partition-reassignments.ts'
import { DescribeLogDirs } from '../../application/use-cases/records/describe-log-dirs.ts'
import { parts, ports } from '../tokens.ts'

export const replicasModule = new ContainerModule(({ bind }) => {
  bind(parts.replicaDirectories)
    .toResolvedValue(
      (metadata, logger, server) => new ReplicaDirectories(metadata, logger, () => ({ nodeId: server.nodeId })),
      [ports.metadata, ports.logger, parts.serverConfig],
    )
    .inSingletonScope()

  bind(parts.replicaMoves)
    .toResolvedValue(
      (logStore, partitions, directories, checksum, clock, timers, logger, live) =>
        new ReplicaMoves({ logStore, partitions, directories, checksum, clock, timers, logger }, () => ({
          replicaAlterLogDirsIoMaxBytesPerSecond: Number(
            live().bigint('replica.alter.log.dirs.io.max.bytes.per.second'),
          ),
        })),
      [
        ports.logStore,
        parts.partitions,
        parts.replicaDirectories,
        ports.checksum,
        ports.clock,
        ports.timers,
        ports.logger,
        parts.live,
      ],
    )
    .inSingletonScope()

  bind(parts.replicaHandlers)
    .toResolvedValue(
      (partitions, logStore, metadata, moves, live) => ({
        DescribeLogDirs: describeLogDirsHandler(
          new DescribeLogDirs(
            partitions,
            logStore,
            metadata,
            () => ({
              cordonedLogDirs: live().list('cordoned.log.dirs'),
            }),
            (partition) => moves.future(partition),
          ),
        ),
        AlterPartitionReassignments: alterPartitionReassignmentsHandler(new AlterPartitionReassignments(metadata)),
        ListPartitionReassignments: listPartitionReassignmentsHandler(new ListPartitionReassignments(metadata)),
        AlterReplicaLogDirs: alterReplicaLogDirsHandler(new AlterReplicaLogDirs(partitions, logStore, moves)),
      }),
      [parts.partitions, ports.logStore, ports.metadata, parts.replicaMoves, parts.live],
    )
    .inSingletonScope()
})
