/**
 * Transactions in a directory that goes from us to a real Kafka and back, in the middle of them: whoever has it then
 * finishes what was decided, aborts what was not, and lets the producers that were at work go on.
 */
import { expect, it } from '@jest/globals'
import path from 'node:path'
import { findCoordinator } from '../../src/adapters/wire/apis/10-find-coordinator.ts'
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import { RealKafka, describeWithKafka, dumpLogSegments, kafkaProperties } from '../support/real-kafka.ts'
import { startServer, temporaryFolder, writeProperties } from '../support/server-process.ts'
import {
  commitInTransaction,
  committedValues,
  endTransaction,
  initProducer,
  settledOffset,
  settledState,
  stableEndOf,
  untilSettled,
  writeTransactional,
  type LiveProducer,
} from '../support/transaction-lives.ts'
import { WireClient } from '../support/wire-client.ts'

type Who = 'ours' | 'kafka'
type End = 'stop' | 'kill'

const PARTITIONS = [0, 1, 2]
const extra = {
  'offsets.topic.num.partitions': '3',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '3',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
}

/**
 * A Kafka 4.3.1 that ends a transaction before it knows all leaders takes partitions without one for deleted, and writes
 * CompleteAbort without their markers: offsets of the transaction stay pending for ever (observed). So it looks for
 * timed-out transactions only when it has been up for a while.
 */
function extraOf(who: Who): Readonly<Record<string, string>> {
  const intervalMs = who === 'kafka' ? 15_000 : 200
  return { ...extra, 'transaction.abort.timed.out.transaction.cleanup.interval.ms': String(intervalMs) }
}

/** One life of a broker over the folder's data, which ends as it is told. */
async function live(who: Who, folder: string, how: End, life: (client: WireClient) => Promise<void>): Promise<void> {
  const broker =
    who === 'ours'
      ? await startServer([writeProperties(folder, extraOf(who))], folder)
      : await RealKafka.start(
          await kafkaProperties(path.join(folder, 'kafka.properties'), path.join(folder, 'data'), {
            extra: extraOf(who),
          }),
        )
  let stopped = false
  try {
    const client = await WireClient.connect('127.0.0.1', broker.port)
    try {
      await life(client)
    } finally {
      client.close()
    }
    if (how === 'stop') {
      await broker.stop()
      stopped = true
    }
  } finally {
    if (!stopped) await broker.kill()
  }
}

async function makeTopics(client: WireClient, names: readonly string[]): Promise<void> {
  const topics = names.map((name) => ({ name, numPartitions: PARTITIONS.length, replicationFactor: 1 }))
  await client.send(createTopics, 5, {
    topics: topics.map((topic) => ({ ...topic, assignments: [], configs: [] })),
    timeoutMs: 10_000,
  })
  await untilSettled(
    () => client.send(findCoordinator, 3, { key: 'any', keyType: 1 }),
    ({ errorCode }) => errorCode,
  )
}

/** A producer of the name's topic and group that is in the middle of its second transaction. */
async function inTheMiddle(
  client: WireClient,
  name: string,
  knowsV2: boolean,
  timeoutMs = 600_000,
): Promise<LiveProducer> {
  const producer = await initProducer(client, name, { knowsV2, timeoutMs })
  await writeTransactional(client, producer, name, PARTITIONS, ['first'])
  await commitInTransaction(client, producer, name, name, 1n)
  await endTransaction(client, producer, true)
  await settledState(client, name)
  await writeTransactional(client, producer, name, PARTITIONS, ['second'])
  await commitInTransaction(client, producer, name, name, 2n)
  return producer
}

async function expectContent(client: WireClient, name: string, values: readonly string[], offset: bigint) {
  for (const partition of PARTITIONS) expect(await committedValues(client, name, partition)).toEqual(values)
  expect(await settledOffset(client, name, name)).toBe(offset)
}

const cases = (['ours', 'kafka'] as const).flatMap((first) =>
  (['stop', 'kill'] as const).flatMap((how) => [true, false].map((knowsV2) => ({ first, how, knowsV2 }))),
)

describeWithKafka('a transaction whose directory passes to another broker in the middle of it', () => {
  it.each(cases)(
    'begun with $first, ended by a $how, V2 $knowsV2: is finished, aborted, timed out or taken over there',
    async ({ first, how, knowsV2 }) => {
      const folder = temporaryFolder()
      const second = first === 'ours' ? 'kafka' : 'ours'
      const names = ['commits', 'aborts', 'replaced', 'forgotten', 'decided']
      const producers = new Map<string, LiveProducer>()
      const producer = (name: string) => producers.get(name)!
      try {
        await live('ours', folder.path, 'stop', (client) => makeTopics(client, names))
        await live(first, folder.path, how, async (client) => {
          for (const name of names) {
            producers.set(name, await inTheMiddle(client, name, knowsV2, name === 'forgotten' ? 1_000 : 600_000))
          }
          // The markers may or may not be written when this life ends; but a Kafka 4.3.1 that is to write them at its
          // start may skip some, see `extraOf`, so after a kill it gets the transaction whole.
          await endTransaction(client, producer('decided'), true)
          if (second === 'kafka' && how === 'kill') await settledState(client, 'decided')
        })
        await live(second, folder.path, how, async (client) => {
          expect(await settledState(client, 'decided')).toBe('CompleteCommit')
          await expectContent(client, 'decided', ['first', 'second'], 2n)
          // More is written in the transaction before it ends.
          await writeTransactional(client, producer('commits'), 'commits', PARTITIONS, ['third'])
          await endTransaction(client, producer('commits'), true)
          await endTransaction(client, producer('aborts'), false)
          producers.set('replaced', await initProducer(client, 'replaced', { knowsV2 }))
          let state: string
          do state = await settledState(client, 'forgotten')
          while (state === 'Ongoing')
          expect(state).toBe('CompleteAbort')
          await expect(endTransaction(client, producer('forgotten'), true)).rejects.toThrow(/error (47|48|90)/)
          for (const name of ['commits', 'aborts', 'replaced']) await settledState(client, name)
          await expectContent(client, 'commits', ['first', 'second', 'third'], 2n)
          for (const name of ['aborts', 'replaced', 'forgotten']) await expectContent(client, name, ['first'], 1n)
          for (const name of ['commits', 'aborts', 'replaced', 'decided']) {
            await writeTransactional(client, producer(name), name, PARTITIONS, ['last'])
            await endTransaction(client, producer(name), true)
            if (first === 'kafka' && how === 'kill') await settledState(client, name)
          }
        })
        await live(first, folder.path, 'stop', async (client) => {
          for (const name of names) await settledState(client, name)
          await expectContent(client, 'commits', ['first', 'second', 'third', 'last'], 2n)
          for (const name of ['aborts', 'replaced']) await expectContent(client, name, ['first', 'last'], 1n)
          await expectContent(client, 'decided', ['first', 'second', 'last'], 2n)
          await expectContent(client, 'forgotten', ['first'], 1n)
          expect(await stableEndOf(client, 'forgotten', 0)).toBe(4n)
        })
        const logs = [0, 1, 2].map((i) =>
          path.join(folder.path, 'data', `__transaction_state-${i}`, `${'0'.repeat(20)}.log`),
        )
        const printed = await dumpLogSegments('--transaction-log-decoder', '--files', logs.join(','))
        for (const name of names) expect(printed).toContain(name)
        expect(printed).not.toMatch(/isvalid: false|Exception|Could not/)
      } finally {
        folder.remove()
      }
    },
    180_000,
  )
})
