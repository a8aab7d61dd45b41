/**
 * Rules between keys of one broker, and between a group and its broker, with the words of a real broker. What a
 * single value may be is in the tables. Not here: listeners (`bootstrap/listeners.ts`).
 */
import type { BrokerConfig } from './broker-config.ts'

interface GroupLimit {
  /** Without `group.`, as groups know it. */
  readonly key: string
  readonly min?: string
  readonly max?: string
}

const groupLimits: readonly GroupLimit[] = [
  ...limited('consumer', ['heartbeat.interval.ms', 'session.timeout.ms', 'assignment.interval.ms']),
  ...limited('share', ['heartbeat.interval.ms', 'session.timeout.ms', 'record.lock.duration.ms']),
  ...limited('share', ['delivery.count.limit', 'partition.max.record.locks', 'assignment.interval.ms']),
  ...limited('streams', ['heartbeat.interval.ms', 'session.timeout.ms', 'assignment.interval.ms']),
  { key: 'streams.num.standby.replicas', max: 'group.streams.max.standby.replicas' },
  { key: 'streams.num.warmup.replicas', max: 'group.streams.max.warmup.replicas' },
  { key: 'streams.task.offset.interval.ms', min: 'group.streams.min.task.offset.interval.ms' },
]

function limited(kind: string, keys: readonly string[]): readonly GroupLimit[] {
  return keys.map((key) => ({
    key: `${kind}.${key}`,
    min: `group.${kind}.min.${key}`,
    max: `group.${kind}.max.${key}`,
  }))
}

const groupKinds = ['consumer', 'share', 'streams']

/**
 * What is wrong with a group's values as a whole, or null. `value` answers the value in force for a group key.
 */
export function checkGroupLimits(value: (key: string) => number, broker: BrokerConfig): string | null {
  for (const limit of groupLimits) {
    const error = outside(limit.key, value(limit.key), limit, broker)
    if (error !== null) return error
  }
  for (const kind of groupKinds) {
    const session = `${kind}.session.timeout.ms`
    const heartbeat = `${kind}.heartbeat.interval.ms`
    if (value(session) <= value(heartbeat)) return `${session} must be greater than ${heartbeat}`
  }
  return null
}

function outside(name: string, value: number, limit: GroupLimit, broker: BrokerConfig): string | null {
  if (limit.min !== undefined && value < broker.number(limit.min)) {
    return `${name} must be greater than or equal to ${limit.min}`
  }
  if (limit.max !== undefined && value > broker.number(limit.max)) {
    return `${name} must be less than or equal to ${limit.max}`
  }
  return null
}

/** What is wrong with a broker's values as a whole, or null. */
export function checkBrokerLimits(broker: BrokerConfig): string | null {
  return checkLogLimits(broker) ?? checkServerLimits(broker) ?? checkBrokerGroupLimits(broker)
}

const MEGABYTE = 1n << 20n

function checkLogLimits(broker: BrokerConfig): string | null {
  if (broker.bigint('log.roll.ms') < 1n) return refused('log.roll.ms must be greater than or equal to 1')
  if (broker.bigint('log.roll.jitter.ms') < 0n) return refused('log.roll.jitter.ms must be greater than or equal to 0')
  if (broker.bigint('log.retention.ms') === 0n) {
    return refused('log.retention.ms must be unlimited (-1) or, greater than or equal to 1')
  }
  const cleaners = BigInt(Math.max(1, broker.number('log.cleaner.threads')))
  if (broker.bigint('log.cleaner.dedupe.buffer.size') / cleaners <= MEGABYTE) {
    return refused('log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.')
  }
  const directories = broker.list('log.dirs')
  const cordoned = broker.list('cordoned.log.dirs')
  const missing = cordoned.filter((directory) => directory !== '*' && !directories.includes(directory))
  if (missing.length > 0) {
    const what = 'All entries in cordoned.log.dirs must be present in log.dirs or log.dir.'
    return refused(`${what} Missing entries : ${missing.join(', ')}`)
  }
  return null
}

function checkServerLimits(broker: BrokerConfig): string | null {
  if (broker.number('max.connections.per.ip') === 0 && broker.string('max.connections.per.ip.overrides') === '') {
    return refused(
      'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.',
    )
  }
  const queued = broker.bigint('queued.max.request.bytes')
  if (queued > 0n && queued < BigInt(broker.number('socket.request.max.bytes'))) {
    return refused('queued.max.request.bytes must be larger or equal to socket.request.max.bytes')
  }
  const wait = broker.number('replica.fetch.wait.max.ms')
  if (wait > broker.number('replica.socket.timeout.ms')) {
    const what = 'replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms'
    return refused(`${what} to prevent unnecessary socket timeouts`)
  }
  if (BigInt(wait) > broker.bigint('replica.lag.time.max.ms')) {
    const what = 'replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms'
    return refused(`${what} to prevent frequent changes in ISR`)
  }
  for (const key of ['offsets.topic.compression.codec', 'share.coordinator.state.topic.compression.codec']) {
    const codec = broker.number(key)
    if (codec < 0 || codec > 4) return `${key}: Unknown compression type id: ${codec}`
  }
  return checkIpOverrides(broker.string('max.connections.per.ip.overrides') ?? '')
}

function checkIpOverrides(text: string): string | null {
  const entries = text.trim() === '' ? [] : text.trim().split(',')
  const wrong = entries.find((entry) => !/^.*:\s*\d+$/.test(entry.trim()))
  if (wrong === undefined) return null
  return `Error parsing configuration property 'max.connections.per.ip.overrides': ${wrong.trim()}`
}

function checkBrokerGroupLimits(broker: BrokerConfig): string | null {
  for (const { min, max } of groupLimits) {
    if (min !== undefined && max !== undefined && broker.number(max) < broker.number(min)) {
      return `${max} must be greater than or equal to ${min}`
    }
  }
  for (const limit of groupLimits) {
    const name = `group.${limit.key}`
    const error = outside(name, broker.number(name), limit, broker)
    if (error !== null) return error
  }
  for (const kind of groupKinds) {
    const session = `group.${kind}.session.timeout.ms`
    const heartbeat = `group.${kind}.heartbeat.interval.ms`
    if (broker.number(heartbeat) >= broker.number(session)) return `${heartbeat} must be less than ${session}`
  }
  if (broker.number('group.share.max.share.sessions') < broker.number('group.share.max.size')) {
    return 'group.share.max.share.sessions must be greater than or equal to group.share.max.size'
  }
  if (!broker.list('group.coordinator.rebalance.protocols').includes('classic')) {
    return "group.coordinator.rebalance.protocols: Disabling the 'classic' protocol is not supported."
  }
  return null
}

/** How a real broker starts the refusals that it makes while it reads its configuration. */
function refused(why: string): string {
  return `requirement failed: ${why}`
}

const threadKeys = [
  'background.threads',
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'num.replica.fetchers',
  'remote.log.manager.copier.thread.pool.size',
  'remote.log.manager.expiration.thread.pool.size',
  'remote.log.manager.follower.thread.pool.size',
  'remote.log.reader.threads',
]

/** What is wrong with going from one set of values to the next at run time, or null. */
export function checkDynamicChange(before: BrokerConfig, after: BrokerConfig): string | null {
  for (const key of threadKeys) {
    const from = before.number(key)
    const to = after.number(key)
    const start = `Dynamic thread count update validation failed for ${key}=${to}, value should`
    if (to < Math.trunc(from / 2)) return `${start} be at least half the current value ${from}`
    if (to > from * 2) return `${start} not be greater than double the current value ${from}`
  }
  const from = before.number('log.cleaner.threads')
  const to = after.number('log.cleaner.threads')
  if (to < Math.trunc(from / 2))
    return `Log cleaner threads cannot be reduced to less than half the current value ${from}`
  if (to > from * 2) return `Log cleaner threads cannot be increased to more than double the current value ${from}`
  return checkLocalRetention(after, 'ms') ?? checkLocalRetention(after, 'bytes')
}

function checkLocalRetention(broker: BrokerConfig, unit: 'ms' | 'bytes'): string | null {
  const local = broker.bigint(`log.local.retention.${unit}`)
  const total = broker.bigint(`log.retention.${unit}`)
  if (total === -1n || local === -2n) return null
  const start = `Invalid value ${String(local)} for configuration log.local.retention.${unit}: Value must not be`
  if (local === -1n) return `${start} -1 as log.retention.${unit} value is set as ${String(total)}.`
  return local > total ? `${start} more than log.retention.${unit} property value: ${String(total)}` : null
}
