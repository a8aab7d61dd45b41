import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { loadConfig, parseArguments, type ConfigInput } from '../../src/bootstrap/config.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const course = `process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
controller.listener.names=CONTROLLER
controller.quorum.voters=1@localhost:9093
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,B:PLAINTEXT,S:SSL,SP:SASL_PLAINTEXT
`

function load(text: string | null, more: Partial<ConfigInput> = {}) {
  if (text !== null) writeFileSync(join(folder, 'server.properties'), text)
  const file = text === null ? null : 'server.properties'
  return loadConfig({ file, env: {}, overrides: [], directory: folder, ...more })
}

describe('the embedded default', () => {
  it('is a node on port 9092 with its data in ./data', () => {
    const config = load(null)
    expect(config.listeners).toEqual([{ name: 'PLAINTEXT', host: '', port: 9092, securityProtocol: 'PLAINTEXT' }])
    expect(config.controllerListeners).toEqual([])
    expect(config.advertised.size).toBe(0)
    expect(config.interBrokerListenerName).toBe('PLAINTEXT')
    expect([config.nodeId, config.logDirs, config.warnings]).toEqual([1, [join(folder, 'data')], []])
    expect(config.broker.number('offsets.topic.replication.factor')).toBe(1)
    expect(config.broker.number('transaction.state.log.min.isr')).toBe(1)
  })

  it('leaves Kafka’s defaults alone when there is a file', () => {
    const config = load('listeners=PLAINTEXT://127.0.0.1:0\nlog.dir=/x,/y,/x\n')
    expect(config.broker.number('offsets.topic.replication.factor')).toBe(3)
    expect([config.nodeId, config.logDirs]).toEqual([1, ['/x', '/y']])
  })

  it('gives way to what an embedder says', () => {
    const config = load(null, { properties: { 'broker.id': '7', 'log.dirs': 'a, b' } })
    expect([config.nodeId, config.logDirs]).toEqual([7, [join(folder, 'a'), join(folder, 'b')]])
  })
})

describe('precedence', () => {
  it('is file, environment, --override', () => {
    const text = `${course}num.partitions=2\nlog.segment.bytes=2097152\nnum.io.threads=3\n`
    const config = load(text, {
      env: { KAFKA_NUM_PARTITIONS: '3', KAFKA_NUM_IO_THREADS: '4', KAFKA_HEAP_OPTS: '-Xmx1g', PATH: '/bin' },
      overrides: ['num.io.threads=5'],
    })
    const keys = ['log.segment.bytes', 'num.partitions', 'num.io.threads']
    expect(keys.map((key) => config.broker.number(key))).toEqual([2_097_152, 3, 5])
    expect(config.warnings).toEqual([])
  })

  it('takes the last of several lines', () => {
    expect(load(`${course}num.partitions=2\nnum.partitions = 4 \n`).broker.number('num.partitions')).toBe(4)
  })
})

describe('listeners', () => {
  it('separates those of the controller, and keeps what is advertised', () => {
    const config = load(`${course}advertised.listeners=PLAINTEXT://kafka.example:19092\n`)
    expect(config.listeners.map((listener) => listener.name)).toEqual(['PLAINTEXT'])
    expect(config.controllerListeners.map((listener) => listener.port)).toEqual([9093])
    expect(config.advertised.get('PLAINTEXT')).toEqual({
      name: 'PLAINTEXT',
      host: 'kafka.example',
      port: 19092,
      securityProtocol: 'PLAINTEXT',
    })
  })

  it.each([
    ['PLAINTEXT://[::1]:9092', '::1', 9092],
    ['PLAINTEXT://:0', '', 0],
    ['plaintext://h_x:9092', 'h_x', 9092],
    ['PLAINTEXT://0.0.0.0:9092', '0.0.0.0', 9092],
  ])('%s', (text, host, port) => {
    expect(load(`listeners=${text}\n`).listeners[0]).toMatchObject({ name: 'PLAINTEXT', host, port })
  })

  it('may share a port when one is IPv4 and the other IPv6', () => {
    const text = `${course}listeners=PLAINTEXT://127.0.0.1:9092,B://[::1]:9092,CONTROLLER://:9093\n`
    expect(load(text).listeners.map((listener) => listener.host)).toEqual(['127.0.0.1', '::1'])
  })
})

const creating = (texts: string, why: string) => `Error creating broker listeners from '[${texts}]': ${why}`

/** Lines that stop the start, and what is said; the texts are those of Apache Kafka 4.3.1 unless noted. */
const refusals: [line: string, message: string][] = [
  ['num.partitions=abc', 'Invalid value abc for configuration num.partitions: Not a number of type INT'],
  ['num.partitions=', 'Invalid value  for configuration num.partitions: Not a number of type INT'],
  ['num.partitions=0', 'Invalid value 0 for configuration num.partitions: Value must be at least 1'],
  ['num.partitions=2147483648', 'Invalid value 2147483648 for configuration num.partitions: Not a number of type INT'],
  [
    'offsets.topic.replication.factor=40000',
    'Invalid value 40000 for configuration offsets.topic.replication.factor: Not a number of type SHORT',
  ],
  [
    'auto.create.topics.enable=yes',
    'Invalid value yes for configuration auto.create.topics.enable: Expected value to be either true or false',
  ],
  ['log.dirs=', "Configuration 'log.dirs' must not be empty. Valid values include: any non-empty value"],
  ['log.dirs=a,,b', "Configuration 'log.dirs' values must not be empty."],
  [
    'log.cleanup.policy=none',
    'Invalid value none for configuration log.cleanup.policy: String must be one of: compact, delete',
  ],
  [
    'process.roles=Broker',
    'Invalid value Broker for configuration process.roles: String must be one of: broker, controller',
  ],
  ['process.roles=', "Configuration 'process.roles' must not be empty. Valid values include: [broker, controller]"],
  [
    'group.consumer.migration.policy=foo',
    'Invalid value foo for configuration group.consumer.migration.policy: String must be one of (case insensitive): DISABLED, DOWNGRADE, UPGRADE, BIDIRECTIONAL',
  ],
  [
    'compression.gzip.level=0',
    'Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1',
  ],
  ['broker.id=3', 'You must set `node.id` to the same value as `broker.id`.'],
  ['listeners=', "Configuration 'listeners' must not be empty. Valid values include: any non-empty value"],
  [
    'listeners=PLAINTEXT://:9092,PLAINTEXT://:9094,CONTROLLER://:9093',
    creating(
      'PLAINTEXT://:9092, PLAINTEXT://:9094, CONTROLLER://:9093',
      'Each listener must have a different name, listeners: [PLAINTEXT://:9092, PLAINTEXT://:9094, CONTROLLER://:9093]',
    ),
  ],
  [
    'listeners=PLAINTEXT://:9092,B://:9092,CONTROLLER://:9093',
    creating(
      'PLAINTEXT://:9092, B://:9092, CONTROLLER://:9093',
      'Each listener must have a different port, listeners: [PLAINTEXT://:9092, B://:9092, CONTROLLER://:9093]',
    ),
  ],
  [
    'listeners=PLAINTEXT://127.0.0.1:9092,B://127.0.0.2:9092,CONTROLLER://:9093',
    creating(
      'PLAINTEXT://127.0.0.1:9092, B://127.0.0.2:9092, CONTROLLER://:9093',
      'If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, listeners: [PLAINTEXT://127.0.0.1:9092, B://127.0.0.2:9092, CONTROLLER://:9093], port: 9092',
    ),
  ],
  [
    'listeners=PLAINTEXT://host,CONTROLLER://:9093',
    creating('PLAINTEXT://host, CONTROLLER://:9093', 'Unable to parse PLAINTEXT://host to a broker endpoint'),
  ],
  [
    'listeners=FOO://h:9092,CONTROLLER://:9093',
    creating('FOO://h:9092, CONTROLLER://:9093', 'No security protocol defined for listener FOO'),
  ],
  // Kafka fails at the bind.
  [
    'listeners=PLAINTEXT://:70000,CONTROLLER://:9093',
    creating(
      'PLAINTEXT://:70000, CONTROLLER://:9093',
      'The port 70000 of PLAINTEXT://:70000 is not between 0 and 65535',
    ),
  ],
  [
    'listeners=PLAINTEXT://:9092',
    "controller.listener.names must contain at least one value appearing in the 'listeners' configuration when running the KRaft controller role",
  ],
  [
    'controller.listener.names=CONTROLLER,PLAINTEXT',
    'There must be at least one broker advertised listener. Perhaps all listeners appear in controller.listener.names?',
  ],
  [
    'advertised.listeners=PLAINTEXT://0.0.0.0:9092',
    'advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.',
  ],
  [
    'advertised.listeners=PLAINTEXT://h:9092,B://x:1',
    'advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found PLAINTEXT,B. The valid options based on the current configuration are PLAINTEXT,CONTROLLER',
  ],
  [
    'inter.broker.listener.name=NOPE',
    'Listener with name NOPE defined in inter.broker.listener.name not found in listener.security.protocol.map.',
  ],
  [
    'inter.broker.listener.name=B',
    'inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options based on currently configured listeners are PLAINTEXT',
  ],
  [
    'inter.broker.listener.name=PLAINTEXT\nsecurity.inter.broker.protocol=PLAINTEXT',
    'Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.',
  ],
  [
    'listener.security.protocol.map=PLAINTEXT:FOO',
    'Invalid security protocol `FOO` defined in listener.security.protocol.map',
  ],
  [
    'controller.quorum.voters=2@localhost:9093',
    "If process.roles contains the 'controller' role, the node id 1 must be included in the set of voters controller.quorum.voters=Set(2)",
  ],
  // Ours: what is missing.
  [
    'listeners=PLAINTEXT://:9092,SP://:9094,CONTROLLER://:9093',
    'listener SP wants SASL_PLAINTEXT: only PLAINTEXT is supported',
  ],
  [
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer: no authorizer is supported, so that everyone would be let in',
  ],
  ['remote.log.storage.system.enable=true', 'remote.log.storage.system.enable=true: tiered storage is not supported'],
  [
    'process.roles=broker\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093',
    'process.roles=broker: broker and controller always run in one process here, set process.roles=broker,controller',
  ],
  [
    'controller.quorum.voters=1@a:9093,2@b:9093',
    'controller.quorum.voters names 2 nodes: a quorum of several nodes is not supported',
  ],
]

describe('a bad value', () => {
  it.each(refusals)('%s', (lines, message) => {
    expect(() => load(course + lines)).toThrow(message)
    expect(() => load(course + lines)).toThrow(/ \(server\.properties, line \d+\)$/)
  })

  it.each([
    ['log.retention.hours=0', 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1'],
    ['log.retention.ms=0', 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1'],
    ['log.roll.ms=0', 'log.roll.ms must be greater than or equal to 1'],
    ['queued.max.request.bytes=5', 'queued.max.request.bytes must be larger or equal to socket.request.max.bytes'],
    ['offsets.topic.compression.codec=9', 'offsets.topic.compression.codec: Unknown compression type id: 9'],
    [
      'group.consumer.heartbeat.interval.ms=50',
      'group.consumer.heartbeat.interval.ms must be greater than or equal to group.consumer.min.heartbeat.interval.ms',
    ],
    [
      'group.share.max.share.sessions=1',
      'group.share.max.share.sessions must be greater than or equal to group.share.max.size',
    ],
    [
      'group.coordinator.rebalance.protocols=consumer',
      "group.coordinator.rebalance.protocols: Disabling the 'classic' protocol is not supported.",
    ],
  ])('%s, beside other keys', (line, message) => {
    expect(() => load(course + line)).toThrow(`${message} Set: ${line} (server.properties, line 7)`)
  })

  it('is named beside each other key that a rule is about', () => {
    const lines = 'replica.socket.timeout.ms=100\nreplica.fetch.wait.max.ms=200'
    expect(() => load(course + lines)).toThrow(
      'to prevent unnecessary socket timeouts Set: replica.socket.timeout.ms=100 (server.properties, line 7), replica.fetch.wait.max.ms=200 (server.properties, line 8)',
    )
  })

  it('is named with the place that it comes from', () => {
    const where = (more: Partial<ConfigInput>) => () => load(course, more)
    const message = 'Invalid value x for configuration num.partitions: Not a number of type INT'
    expect(where({ env: { KAFKA_NUM_PARTITIONS: 'x' } })).toThrow(
      `${message} (environment variable KAFKA_NUM_PARTITIONS)`,
    )
    expect(() => load(`${course}num.partitions=x`)).toThrow(`${message} (server.properties, line 7)`)
    expect(where({ overrides: ['num.partitions=x'] })).toThrow(`${message} (--override)`)
    expect(where({ overrides: ['num.partitions'] })).toThrow('--override needs key=value, not num.partitions')
    expect(where({ file: 'nope.properties' })).toThrow('Cannot read nope.properties: ENOENT')
    expect(() => load('a=\\u12')).toThrow('Malformed \\uxxxx encoding. (server.properties, line 1)')
  })
})

describe('warnings', () => {
  it('name each key that has no effect once', () => {
    const lines = [
      'zookeeper.connect=localhost:2181',
      'foo.bar=1',
      'foo.bar=2',
      'super.users=User:a',
      'num.io.threads=3',
    ]
    const more = ['inter.broker.protocol.version=3.0', 'listener.name.plaintext.max.connections=5']
    expect(load(course + [...lines, ...more].join('\n')).warnings).toEqual([
      'zookeeper.connect has no effect: Kafka 4 has no ZooKeeper (server.properties, line 7)',
      'Unknown configuration key foo.bar has no effect (server.properties, line 9)',
      'super.users has no effect without an authorizer (server.properties, line 10)',
      'inter.broker.protocol.version has no effect: Kafka 4 has no such key any more (server.properties, line 12)',
    ])
  })
})

describe('parseArguments', () => {
  it('takes a file and overrides in any order', () => {
    expect(parseArguments([])).toEqual({ file: null, overrides: [] })
    expect(parseArguments(['a.properties', '--override', 'x=y', '--override=z=1'])).toEqual({
      file: 'a.properties',
      overrides: ['x=y', 'z=1'],
    })
  })

  it('refuses what it does not know', () => {
    expect(() => parseArguments(['--daemon'])).toThrow('Unknown option --daemon')
    expect(() => parseArguments(['a', 'b'])).toThrow('Only one properties file can be given, not both a and b')
  })
})
