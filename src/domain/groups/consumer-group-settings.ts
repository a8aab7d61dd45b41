/** The settings in force for one consumer group: its own configs (KIP-848), within the broker's bounds, or the broker's. */
import { configsOf, type ClusterImage } from '../cluster/cluster-image.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { parseConfig } from '../config/config-value.ts'
import { groupKeys } from '../config/group-keys.ts'
import type { ConsumerGroupSettings } from './consumer-decision.ts'
import { knownAssignors } from './consumer-target.ts'
import { migrationPolicy } from './migration-policy.ts'

export function consumerGroupSettings(
  image: ClusterImage,
  groupId: string,
  broker: BrokerConfig,
): ConsumerGroupSettings {
  const texts = configsOf(image, 'GROUP', groupId)
  const ofGroup = (name: string): number => {
    const server = broker.number(`group.consumer.${name}`)
    const text = texts.get(`consumer.${name}`)
    const key = groupKeys.get(`consumer.${name}`)
    if (text === undefined || key === undefined) return server
    const parsed = parseConfig(key, text)
    if (parsed.error !== null) return server
    // The bounds may have been moved since the group's value was accepted.
    const least = broker.number(`group.consumer.min.${name}`)
    return Math.min(Math.max(parsed.value as number, least), broker.number(`group.consumer.max.${name}`))
  }
  return {
    maxSize: broker.number('group.consumer.max.size'),
    assignors: knownAssignors(broker.list('group.consumer.assignors')),
    heartbeatIntervalMs: ofGroup('heartbeat.interval.ms'),
    sessionTimeoutMs: ofGroup('session.timeout.ms'),
    assignmentIntervalMs: ofGroup('assignment.interval.ms'),
    regexRefreshIntervalMs: broker.number('group.consumer.regex.refresh.interval.ms'),
    migrationPolicy: migrationPolicy(broker.string('group.consumer.migration.policy') ?? ''),
  }
}
