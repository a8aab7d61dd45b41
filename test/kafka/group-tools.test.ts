/** Kafka's own tools for groups, and its consumers that come as tools, against our broker. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createBroker } from '../../src/index.ts'
import { commitOffsets, joinClassic, joinConsumer, offsetsOf } from '../support/group-lives.ts'
import { describeWithKafka, kafkaTool } from '../support/real-kafka.ts'
import { batchOf, produceBatch } from '../support/records.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

const TOPIC = 'orders'
const folder = temporaryFolder()
const broker = createBroker({
  'node.id': 1,
  'log.dirs': path.join(folder.path, 'data'),
  'group.initial.rebalance.delay.ms': 0,
})
let bootstrap: string
let client: WireClient

const server = () => ['--bootstrap-server', bootstrap]
const groups = (...args: string[]) =>
  kafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', ...server(), ...args)
const consume = (...args: string[]) =>
  kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', ...server(), '--topic', TOPIC, ...args)
const alone = (groupId: string) => ({ groupId, memberId: '', generation: -1 })
/** Of today: older records would be deleted by retention. */
const now = (values: readonly string[]) => batchOf(values, {}, BigInt(Date.now()))
/** Offset by partition. */
const committed = async (groupId: string) =>
  Object.fromEntries(
    (await offsetsOf(client, groupId)).map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
  )

describeWithKafka('Kafka’s tools for groups against our broker', () => {
  beforeAll(async () => {
    await broker.start()
    const { host, port } = broker.address()
    bootstrap = `${host}:${port}`
    client = await WireClient.connect(host, port)
    await kafkaTool(
      'org.apache.kafka.tools.TopicCommand',
      ...server(),
      '--create',
      '--topic',
      TOPIC,
      '--partitions',
      '2',
    )
    for (const partition of [0, 1]) {
      const values = Array.from({ length: 10 }, (_, i) => `${partition}-${i}`)
      const { errorCode } = await produceBatch(client, TOPIC, partition, now(values))
      expect(errorCode).toBe(0)
    }
  }, 60_000)

  afterAll(async () => {
    client.close()
    await broker.close()
    folder.remove()
  })

  it('read in groups of both protocols, go on where they stopped, and say what they are assigned', async () => {
    let there = 20
    for (const protocol of ['classic', 'consumer']) {
      const inGroup = ['--group', `console-${protocol}`, '--command-property', `group.protocol=${protocol}`]
      const first = await consume(...inGroup, '--from-beginning', '--max-messages', String(there))
      expect(first).toContain(`Processed a total of ${there} messages`)
      await produceBatch(client, TOPIC, 0, now(['0-again']))
      there++
      const second = await consume(...inGroup, '--max-messages', '1')
      expect(second).toMatch(/^0-again$/m)
    }
    const verified = await kafkaTool(
      'org.apache.kafka.tools.VerifiableConsumer',
      ...server(),
      ...['--topic', TOPIC, '--group-id', 'verifiable', '--max-messages', String(there), '--reset-policy', 'earliest'],
    )
    expect(verified).toContain('"name":"partitions_assigned"')
    expect(verified).toMatch(/"name":"offsets_committed".*"success":true/)
  }, 180_000)

  it('list by state and type, and describe members, states and offsets', async () => {
    const classic = await joinClassic(client, 'at-work', TOPIC, [0, 1], 'instance-1')
    await commitOffsets(client, classic, TOPIC, [{ partition: 1, offset: 4n }])
    await joinConsumer(client, 'at-work-848', 'AAAAAAAAAAAAAAAAAAAAAA', TOPIC)
    const stable = await groups('--list', '--state', 'stable', '--type')
    expect(stable).toMatch(/^at-work\s+Classic\s+Stable/m)
    expect(stable).toMatch(/^at-work-848\s+Consumer\s+Stable/m)
    expect(stable).not.toContain('console-')
    const ofConsumers = await groups('--list', '--type', 'consumer')
    expect(ofConsumers.match(/^\S+\s+Consumer *$/gm)).toHaveLength(2)
    const all = ['--describe', '--all-groups']
    const states = await groups(...all, '--state', '--verbose')
    expect(states).toMatch(/^at-work\s+127\.0\.0\.1:\d+\s+\(1\)\s+range\s+Stable\s+-\s+- +1 *$/m)
    expect(states).toMatch(/^at-work-848\s+127\.0\.0\.1:\d+\s+\(1\)\s+uniform\s+Stable\s+\d+\s+\d+ +1 *$/m)
    const members = await groups(...all, '--members', '--verbose')
    expect(members).toMatch(/^at-work\s+instance-1\S+\s+instance-1\s+\/127\.0\.0\.1\s+wire-client\s+2\s.*orders:0,1/m)
    expect(members).toMatch(/^at-work-848\s+A{22}\s+\/127\.0\.0\.1\s+wire-client\s+2\s.*orders:0,1/m)
    const offsets = await groups(...all, '--offsets', '--verbose')
    expect(offsets).toMatch(/^at-work\s+orders\s+1\s+-\s+4\s+10\s+6\s+instance-1/m)
    expect(offsets).toMatch(/^console-classic\s+orders\s+1\s+\d+\s+10\s+10\s+0\s+-/m)
  }, 120_000)

  it('reset offsets to wherever they are told, and only with --execute', async () => {
    await commitOffsets(
      client,
      alone('reset'),
      TOPIC,
      [0, 1].map((partition) => ({ partition, offset: 6n })),
    )
    const reset = (...args: string[]) => groups('--group', 'reset', '--reset-offsets', '--topic', TOPIC, ...args)
    expect(await reset('--to-earliest', '--dry-run')).toMatch(/^reset\s+orders\s+0 +0 *$/m)
    expect(await committed('reset')).toEqual({ 0: 6n, 1: 6n })
    for (const [how, expected] of [
      [['--to-earliest'], { 0: 0n, 1: 0n }],
      [['--to-offset', '3'], { 0: 3n, 1: 3n }],
      [['--shift-by', '2'], { 0: 5n, 1: 5n }],
      [['--by-duration', 'P1D'], { 0: 0n, 1: 0n }],
      [['--to-datetime', '2100-01-01T00:00:00.000'], { 0: 12n, 1: 10n }],
      [['--to-latest'], { 0: 12n, 1: 10n }],
      [['--shift-by', '-4'], { 0: 8n, 1: 6n }],
    ] as const) {
      await reset(...how, '--execute')
      expect([how, await committed('reset')]).toEqual([how, expected])
    }
  }, 180_000)

  it('carry offsets from group to group in a file, and delete offsets and groups', async () => {
    await commitOffsets(client, alone('carried'), TOPIC, [
      { partition: 0, offset: 2n },
      { partition: 1, offset: 7n },
    ])
    const exported = await groups('--group', 'carried', '--reset-offsets', '--all-topics', '--to-current', '--export')
    const file = path.join(folder.path, 'offsets.csv')
    await writeFile(file, (exported.match(/^"?orders"?,\d,\d+$/gm) ?? []).join('\n'))
    expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(2)
    await groups('--group', 'into', '--reset-offsets', '--from-file', file, '--execute')
    expect(await committed('into')).toEqual({ 0: 2n, 1: 7n })

    const deleted = await groups('--group', 'into', '--delete-offsets', '--topic', `${TOPIC}:0`)
    expect(deleted).toMatch(/^orders\s+0\s+Successful *$/m)
    expect(await committed('into')).toEqual({ 1: 7n })
    expect(await groups('--group', 'at-work', '--delete-offsets', '--topic', TOPIC)).toContain(
      'GroupSubscribedToTopicException',
    )
    expect(await groups('--delete', '--group', 'into', '--group', 'carried')).toMatch(
      /Deletion of requested consumer groups .* was successful/,
    )
    expect(await committed('into')).toEqual({})
    expect(await groups('--delete', '--group', 'at-work')).toContain('The group is not empty')
  }, 120_000)
})
