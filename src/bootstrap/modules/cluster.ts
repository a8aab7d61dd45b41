/** Topics, configs and what describes the cluster. */
import { ContainerModule } from 'inversify'
import { alterConfigsHandler } from '../../adapters/wire/handlers/alter-configs.ts'
import { createPartitionsHandler } from '../../adapters/wire/handlers/create-partitions.ts'
import { createTopicsHandler } from '../../adapters/wire/handlers/create-topics.ts'
import { deleteTopicsHandler } from '../../adapters/wire/handlers/delete-topics.ts'
import { describeClusterHandler } from '../../adapters/wire/handlers/describe-cluster.ts'
import { describeConfigsHandler } from '../../adapters/wire/handlers/describe-configs.ts'
import { describeTopicPartitionsHandler } from '../../adapters/wire/handlers/describe-topic-partitions.ts'
import { findCoordinatorHandler } from '../../adapters/wire/handlers/find-coordinator.ts'
import { incrementalAlterConfigsHandler } from '../../adapters/wire/handlers/incremental-alter-configs.ts'
import { listConfigResourcesHandler } from '../../adapters/wire/handlers/list-config-resources.ts'
import { metadataHandler } from '../../adapters/wire/handlers/metadata.ts'
import { AlterConfigs } from '../../application/use-cases/cluster/alter-configs.ts'
import { CreatePartitions } from '../../application/use-cases/cluster/create-partitions.ts'
import { CreateTopics } from '../../application/use-cases/cluster/create-topics.ts'
import { DeleteTopics } from '../../application/use-cases/cluster/delete-topics.ts'
import { DescribeCluster } from '../../application/use-cases/cluster/describe-cluster.ts'
import { DescribeConfigs } from '../../application/use-cases/cluster/describe-configs.ts'
import { DescribeMetadata } from '../../application/use-cases/cluster/describe-metadata.ts'
import { DescribeTopicPartitions } from '../../application/use-cases/cluster/describe-topic-partitions.ts'
import { FindCoordinator } from '../../application/use-cases/cluster/find-coordinator.ts'
import { IncrementalAlterConfigs } from '../../application/use-cases/cluster/incremental-alter-configs.ts'
import { ListConfigResources } from '../../application/use-cases/cluster/list-config-resources.ts'
import { describeMetadataSettings, endpointSettings, missingTopicSettings } from '../settings.ts'
import { parts, ports } from '../tokens.ts'

export const clusterModule = new ContainerModule(({ bind }) => {
  bind(parts.clusterHandlers)
    .toResolvedValue(
      (metadata, random, logger, live, server, config, partitions) => {
        const endpoints = () => endpointSettings(server)
        return {
          Metadata: metadataHandler(
            new DescribeMetadata(metadata, random, logger, () => describeMetadataSettings(server, live())),
          ),
          FindCoordinator: findCoordinatorHandler(
            new FindCoordinator(metadata, random, logger, () => ({
              ...endpoints(),
              ...missingTopicSettings(live()),
            })),
          ),
          CreateTopics: createTopicsHandler(
            new CreateTopics(metadata, random, logger, () => ({
              numPartitions: live().number('num.partitions'),
              defaultReplicationFactor: live().number('default.replication.factor'),
              brokerConfig: live(),
            })),
          ),
          DeleteTopics: deleteTopicsHandler(
            new DeleteTopics(metadata, partitions, logger, () => ({
              deleteTopicEnable: live().boolean('delete.topic.enable'),
            })),
          ),
          CreatePartitions: createPartitionsHandler(new CreatePartitions(metadata, logger)),
          DescribeConfigs: describeConfigsHandler(new DescribeConfigs(metadata, config)),
          AlterConfigs: alterConfigsHandler(new AlterConfigs(metadata, config)),
          IncrementalAlterConfigs: incrementalAlterConfigsHandler(new IncrementalAlterConfigs(metadata, config)),
          ListConfigResources: listConfigResourcesHandler(new ListConfigResources(metadata)),
          DescribeCluster: describeClusterHandler(new DescribeCluster(metadata, endpoints)),
          DescribeTopicPartitions: describeTopicPartitionsHandler(
            new DescribeTopicPartitions(metadata, () => ({
              ...endpoints(),
              maxRequestPartitionSizeLimit: live().number('max.request.partition.size.limit'),
            })),
          ),
        }
      },
      [
        ports.metadata,
        ports.random,
        ports.logger,
        parts.live,
        parts.serverConfig,
        parts.brokerConfig,
        parts.partitions,
      ],
    )
    .inSingletonScope()
})
