/** Consumer groups and their offsets. */
import { ContainerModule } from 'inversify'
import { GroupRecordCodec } from '../../adapters/internal-records/group-record-codec.ts'
import { re2Patterns } from '../../adapters/system/re2-patterns.ts'
import { consumerGroupDescribeHandler } from '../../adapters/wire/handlers/consumer-group-describe.ts'
import { consumerGroupHeartbeatHandler } from '../../adapters/wire/handlers/consumer-group-heartbeat.ts'
import { deleteGroupsHandler } from '../../adapters/wire/handlers/delete-groups.ts'
import { describeGroupsHandler } from '../../adapters/wire/handlers/describe-groups.ts'
import { heartbeatHandler } from '../../adapters/wire/handlers/heartbeat.ts'
import { joinGroupHandler } from '../../adapters/wire/handlers/join-group.ts'
import { leaveGroupHandler } from '../../adapters/wire/handlers/leave-group.ts'
import { listGroupsHandler } from '../../adapters/wire/handlers/list-groups.ts'
import { offsetCommitHandler } from '../../adapters/wire/handlers/offset-commit.ts'
import { offsetDeleteHandler } from '../../adapters/wire/handlers/offset-delete.ts'
import { offsetFetchHandler } from '../../adapters/wire/handlers/offset-fetch.ts'
import { syncGroupHandler } from '../../adapters/wire/handlers/sync-group.ts'
import { ClassicGroups } from '../../application/classic-groups.ts'
import { ConsumerGroups } from '../../application/consumer-groups.ts'
import { GroupCoordinator } from '../../application/group-coordinator.ts'
import { GroupRunner } from '../../application/group-runner.ts'
import { CleanOffsets } from '../../application/use-cases/groups/clean-offsets.ts'
import { CommitOffsets } from '../../application/use-cases/groups/commit-offsets.ts'
import { ConsumerGroupHeartbeat } from '../../application/use-cases/groups/consumer-group-heartbeat.ts'
import { DeleteGroups } from '../../application/use-cases/groups/delete-groups.ts'
import { DeleteOffsets } from '../../application/use-cases/groups/delete-offsets.ts'
import { DescribeConsumerGroups } from '../../application/use-cases/groups/describe-consumer-groups.ts'
import { DescribeGroups } from '../../application/use-cases/groups/describe-groups.ts'
import { FetchOffsets } from '../../application/use-cases/groups/fetch-offsets.ts'
import { JoinGroup } from '../../application/use-cases/groups/join-group.ts'
import { ListGroups } from '../../application/use-cases/groups/list-groups.ts'
import { consumerGroupSettings } from '../../domain/groups/consumer-group-settings.ts'
import { knownAssignors } from '../../domain/groups/consumer-target.ts'
import { classicRules, offsetSettings } from '../settings.ts'
import { parts, ports } from '../tokens.ts'

export const groupsModule = new ContainerModule(({ bind }) => {
  bind(parts.groupCoordinator)
    .toResolvedValue(
      (partitions, metadata, clock, timers, logger, checksum, compressor, live) =>
        new GroupCoordinator(
          { partitions, metadata, clock, timers, logger, checksum, compressor, codec: new GroupRecordCodec() },
          () => ({
            offsetsLoadBufferSize: live().number('offsets.load.buffer.size'),
            groupCoordinatorAppendLingerMs: live().number('group.coordinator.append.linger.ms'),
          }),
        ),
      [
        parts.partitions,
        ports.metadata,
        ports.clock,
        ports.timers,
        ports.logger,
        ports.checksum,
        ports.compressor,
        parts.live,
      ],
    )
    .inSingletonScope()

  bind(parts.groupRunner)
    .toResolvedValue(
      (groups, metadata, logger, live) =>
        new GroupRunner(groups, metadata, re2Patterns(), logger, {
          classic: () => classicRules(live()),
          consumer: (groupId) => consumerGroupSettings(metadata.image(), groupId, live()),
        }),
      [parts.groupCoordinator, ports.metadata, ports.logger, parts.live],
    )
    .inSingletonScope()

  bind(parts.classicGroups)
    .toResolvedValue((runner) => new ClassicGroups(runner), [parts.groupRunner])
    .inSingletonScope()

  bind(parts.consumerGroups)
    .toResolvedValue((runner) => new ConsumerGroups(runner), [parts.groupRunner])
    .inSingletonScope()

  bind(parts.cleanOffsets)
    .toResolvedValue(
      (groups, metadata, timers, logger, live) =>
        new CleanOffsets(groups, metadata, timers, logger, () => offsetSettings(live())),
      [parts.groupCoordinator, ports.metadata, ports.timers, ports.logger, parts.live],
    )
    .inSingletonScope()

  bind(parts.groupHandlers)
    .toResolvedValue(
      (groups, classicGroups, consumerGroups, metadata, random, live) => ({
        JoinGroup: joinGroupHandler(new JoinGroup(classicGroups, random)),
        SyncGroup: syncGroupHandler(classicGroups),
        Heartbeat: heartbeatHandler(classicGroups),
        LeaveGroup: leaveGroupHandler(classicGroups),
        OffsetCommit: offsetCommitHandler(
          new CommitOffsets(groups, classicGroups, metadata, () => offsetSettings(live())),
        ),
        OffsetFetch: offsetFetchHandler(new FetchOffsets(groups, metadata)),
        OffsetDelete: offsetDeleteHandler(new DeleteOffsets(groups, metadata)),
        ListGroups: listGroupsHandler(new ListGroups(groups)),
        DescribeGroups: describeGroupsHandler(new DescribeGroups(groups)),
        DeleteGroups: deleteGroupsHandler(new DeleteGroups(groups)),
        ConsumerGroupHeartbeat: consumerGroupHeartbeatHandler(new ConsumerGroupHeartbeat(consumerGroups, random)),
        ConsumerGroupDescribe: consumerGroupDescribeHandler(
          new DescribeConsumerGroups(groups, metadata, () => knownAssignors(live().list('group.consumer.assignors'))),
        ),
      }),
      [parts.groupCoordinator, parts.classicGroups, parts.consumerGroups, ports.metadata, ports.random, parts.live],
    )
    .inSingletonScope()
})
