/** Kafka's own tool for transactions against our broker: it lists, describes, finds what hangs and aborts it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import path from 'node:path'
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { createBroker } from '../../src/index.ts'
import { makeTopic } from '../support/embedded-client.ts'
import { describeWithKafka, kafkaTool } from '../support/real-kafka.ts'
import { batchOf } from '../support/records.ts'
import { temporaryFolder } from '../support/server-process.ts'
import {
  commitInTransaction,
  endTransaction,
  initProducer,
  settledState,
  stableEndOf,
  writeTransactional,
  type LiveProducer,
} from '../support/transaction-lives.ts'
import { WireClient } from '../support/wire-client.ts'

const TOPIC = 'payments'
const HANGING_ID = 4_711n
const folder = temporaryFolder()
const broker = createBroker({
  'node.id': 1,
  'log.dirs': path.join(folder.path, 'data'),
  'offsets.topic.num.partitions': 2,
  'transaction.state.log.num.partitions': 2,
  // So that a transaction can hang, as those of brokers before KIP-890 did.
  'transaction.partition.verification.enable': false,
})
let bootstrap: string
let client: WireClient
let open: LiveProducer

const tool = (...args: string[]) =>
  kafkaTool('org.apache.kafka.tools.TransactionsCommand', '--bootstrap-server', bootstrap, ...args)
/** The cells of each line after the heading. */
const rows = (printed: string): string[][] =>
  printed
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
const ofTopic = ['--topic', TOPIC, '--partition', '0']

/** A batch of a transaction that no coordinator knows, written an hour ago. */
async function hang(): Promise<void> {
  const framing = { producerId: HANGING_ID, producerEpoch: 3, baseSequence: 0, transactional: true }
  const records = batchOf(['lost'], framing, BigInt(Date.now() - 3_600_000))
  const { responses } = await client.send(produce, 11, {
    transactionalId: 'nobody',
    acks: -1,
    timeoutMs: 5_000,
    topicData: [{ name: TOPIC, partitionData: [{ index: 0, records }] }],
  })
  expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
}

describeWithKafka('Kafka’s tool for transactions against our broker', () => {
  beforeAll(async () => {
    await broker.start()
    const { host, port } = broker.address()
    bootstrap = `${host}:${port}`
    client = await WireClient.connect(host, port)
    await makeTopic(client, TOPIC)
    for (const committed of [true, false]) {
      const done = await initProducer(client, committed ? 'done-commit' : 'done-abort', { knowsV2: committed })
      await writeTransactional(client, done, TOPIC, [0], ['v'])
      await endTransaction(client, done, committed)
      await settledState(client, done.transactionalId)
    }
    open = await initProducer(client, 'open', { timeoutMs: 600_000 })
    await writeTransactional(client, open, TOPIC, [0], ['a', 'b'])
    await commitInTransaction(client, open, 'group', TOPIC, 1n)
  }, 60_000)

  afterAll(async () => {
    client.close()
    await broker.close()
    folder.remove()
  })

  it('lists, with each of its filters', async () => {
    const listed = rows(await tool('list'))
    expect(listed[0]).toEqual(['TransactionalId', 'Coordinator', 'ProducerId', 'TransactionState'])
    expect(
      listed
        .slice(1)
        .map(([id, coordinator, , state]) => [id, coordinator, state])
        .sort(),
    ).toEqual([
      ['done-abort', '1', 'CompleteAbort'],
      ['done-commit', '1', 'CompleteCommit'],
      ['open', '1', 'Ongoing'],
    ])
    const ids = async (...args: string[]) =>
      rows(await tool('list', ...args))
        .slice(1)
        .map(([id]) => id)
    expect(await ids('--duration-filter', '600000')).toEqual([])
    expect((await ids('--transactional-id-pattern', 'done-.*')).sort()).toEqual(['done-abort', 'done-commit'])
  }, 120_000)

  it('describes a transaction and the producers of a partition', async () => {
    const [heading, described] = rows(await tool('describe', '--transactional-id', 'open'))
    const cell = (name: string) => described![heading!.indexOf(name)]
    expect([cell('CoordinatorId'), cell('TransactionState'), cell('TransactionTimeoutMs')]).toEqual(['1', 'Ongoing', '600000']) // prettier-ignore
    expect([cell('ProducerId'), cell('ProducerEpoch')]).toEqual([String(open.producerId), String(open.epoch)])
    expect(described!.at(-1)!.split(',').sort()).toEqual(['__consumer_offsets-1', `${TOPIC}-0`])
    const producers = rows(await tool('describe-producers', ...ofTopic))
    expect(producers[0]).toEqual(['ProducerId', 'ProducerEpoch', 'LatestCoordinatorEpoch', 'LastSequence', 'LastTimestamp', 'CurrentTransactionStartOffset']) // prettier-ignore
    const row = producers.find(([id]) => id === String(open.producerId))!
    expect([row[1], row[3], row[5]]).toEqual([String(open.epoch), '1', '4'])
  }, 120_000)

  it('finds a transaction that hangs, and aborts it by its start offset', async () => {
    await hang()
    const heading = ['Topic', 'Partition', 'ProducerId', 'ProducerEpoch', 'CoordinatorEpoch', 'StartOffset', 'LastTimestamp', 'Duration(min)'] // prettier-ignore
    const hanging = rows(await tool('find-hanging', '--broker-id', '1'))
    expect(hanging[0]).toEqual(heading)
    expect(hanging.slice(1).map((row) => row.slice(0, 6))).toEqual([[TOPIC, '0', String(HANGING_ID), '3', '-1', '6']])
    expect(rows(await tool('find-hanging', '--topic', TOPIC))).toHaveLength(2)
    await tool('abort', ...ofTopic, '--start-offset', '6')
    expect(rows(await tool('find-hanging', '--broker-id', '1'))).toEqual([heading])
    expect(await stableEndOf(client, TOPIC, 0)).toBe(4n)
  }, 120_000)

  it('aborts by producer, epoch and coordinator epoch, as brokers before DescribeProducers need it', async () => {
    const before = await stableEndOf(client, TOPIC, 0)
    const hung = await initProducer(client, 'hung')
    await writeTransactional(client, hung, TOPIC, [0], ['c'])
    const by = ['--producer-id', String(hung.producerId), '--producer-epoch', String(hung.epoch)]
    await tool('abort', ...ofTopic, ...by, '--coordinator-epoch', '0')
    const producers = rows(await tool('describe-producers', ...ofTopic))
    expect(producers.find(([id]) => id === String(hung.producerId))!.at(-1)).toBe('None')
    expect(await stableEndOf(client, TOPIC, 0)).toBe(before)
  }, 120_000)

  it('terminates an ongoing transaction, and its producer is fenced', async () => {
    await tool('forceTerminateTransaction', '--transactionalId', 'open')
    expect(await settledState(client, 'open')).toMatch(/^(CompleteAbort|Empty)$/)
    await expect(writeTransactional(client, open, TOPIC, [0], ['late'])).rejects.toThrow(/error (47|90)/)
    const producers = rows(await tool('describe-producers', ...ofTopic))
    expect(producers.slice(1).map((row) => row.at(-1))).toEqual(producers.slice(1).map(() => 'None'))
  }, 120_000)
})
