/** Images with configs, for tests that look at nothing else of a cluster. */
import {
  configResourceKey,
  type ClusterImage,
  type ConfigResourceType,
} from '../../src/domain/cluster/cluster-image.ts'
import { emptyImage } from '../../src/domain/cluster/cluster-evolution.ts'

export interface ResourceConfigs {
  readonly type: ConfigResourceType
  readonly name: string
  readonly configs: Readonly<Record<string, string>>
}

export function imageWith(resources: readonly ResourceConfigs[], topics: readonly string[] = []): ClusterImage {
  const configs = resources.map(
    ({ type, name, configs }) => [configResourceKey(type, name), new Map(Object.entries(configs))] as const,
  )
  const topic = (name: string, index: number) => ({ name, id: `topic-${index}`, partitions: [] })
  return {
    ...emptyImage('cluster'),
    configs: new Map(configs),
    topicsByName: new Map(topics.map((name, index) => [name, topic(name, index)])),
    topicsById: new Map(topics.map((name, index) => [`topic-${index}`, topic(name, index)])),
  }
}
