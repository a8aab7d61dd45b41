/**
 * A broker that dies at any append between the first record of EndTxn and the last marker, and again while the next
 * one completes what it left: every partition gets the marker that was decided on and no other, nothing stays open,
 * the client's repeated request is answered as the first should have been, and its producer goes on.
 */
import { describe, expect, it } from '@jest/globals'
import { readEndMarker } from '../../src/domain/log/end-marker.ts'
import { batchesIn } from '../support/records.ts'
import { DyingLogStore } from '../support/dying-log-store.ts'
import { settle } from '../support/stalling-log-store.ts'
import { offsetsPartition, openTransactionBroker, type KnownProducer } from '../support/transaction-broker.ts'

type Opened = Awaited<ReturnType<typeof openTransactionBroker>>

const written = [0, 1, 2].map((partition) => ({ topic: 't', partition }))

interface Death {
  readonly knowsV2: boolean
  readonly committed: boolean
  readonly makesTheLast: boolean
  /** The append at which it dies. */
  readonly at: number
  /** And the one at which the next broker dies. */
  readonly again: number
}

/** A transaction over three partitions and the offsets of a group. */
async function begin(broker: Opened, knowsV2: boolean): Promise<KnownProducer> {
  const { producerId, producerEpoch, error } = await broker.init()
  expect(error).toBe('NONE')
  const producer = { producerId, producerEpoch }
  const transaction = { transactionalId: 'id', ...producer }
  const partitions = knowsV2 ? [offsetsPartition] : [...written, offsetsPartition]
  const enrolled = await broker.enrolment.enrol({ ...transaction, partitions }, knowsV2)
  expect(enrolled.every((refused) => refused === null)).toBe(true)
  for (const { partition } of written) expect(await broker.produce(producer, partition, knowsV2)).toBe('NONE')
  expect((await broker.commitOffset(producer, 7n)).error).toBeNull()
  return producer
}

async function expectOutcome(broker: Opened, producer: KnownProducer, { committed, knowsV2 }: Death): Promise<void> {
  const markerEpoch = producer.producerEpoch + (knowsV2 ? 1 : 0)
  for (const { topic, partition } of [...written, offsetsPartition]) {
    const hosted = broker.partitions.find(topic, partition)!
    await hosted.whenOpen()
    expect(hosted.lastStableOffset).toBe(hosted.highWatermark)
    const slice = await hosted.read(0n, { bytesMax: 10_000, atLeastOne: true }, 'read uncommitted')
    let markers = 0
    for (const batch of batchesIn(Buffer.concat(slice.chunks))) {
      if (!batch.isControl) continue
      markers++
      expect(readEndMarker(batch)).toEqual({ committed, coordinatorEpoch: 3 })
      expect(batch).toMatchObject({ producerId: producer.producerId, producerEpoch: markerEpoch })
    }
    slice.release()
    expect(markers).toBeGreaterThan(0)
    const aborted = await hosted.abortedTransactions(0n, hosted.highWatermark)
    expect(aborted.map(({ producerId }) => producerId)).toEqual(committed ? [] : [producer.producerId])
  }
  expect(await broker.committedOffset()).toBe(committed ? 7n : null)
  expect(await broker.stateOf()).toBe(committed ? 'CompleteCommit' : 'CompleteAbort')
}

/** Whether the broker died of it at all. */
async function dieOnce(death: Death): Promise<boolean> {
  const { knowsV2, committed } = death
  const store = new DyingLogStore()
  let broker = await openTransactionBroker(store)
  await settle()
  const producer = await begin(broker, knowsV2)
  const request = { transactionalId: 'id', ...producer, committed, knowsV2 }

  store.makesTheLast = death.makesTheLast
  store.appendsLeft = death.at
  const answers: string[] = []
  void broker.endTransaction.execute(request).then(({ error }) => answers.push(error))
  await broker.run()
  const { isDead } = store

  for (const appendsLeft of [death.again, Infinity]) {
    broker = await openTransactionBroker(store.revive(appendsLeft))
    await broker.run()
  }
  const state = await broker.stateOf()
  // What was answered is so, whatever happened behind the answer.
  if (answers.includes('NONE')) expect(state).not.toBe('Ongoing')
  const again = await broker.endTransaction.execute(request)
  const next = knowsV2 ? { ...producer, producerEpoch: producer.producerEpoch + 1 } : producer
  expect(again).toEqual({ error: 'NONE', ...(knowsV2 ? next : { producerId: -1n, producerEpoch: -1 }) })
  await broker.run()
  await expectOutcome(broker, producer, death)

  expect(await broker.enrolment.enrol({ transactionalId: 'id', ...next, partitions: [written[0]!] }, knowsV2)).toEqual([
    null,
  ])
  expect(await broker.produce(next, 0, knowsV2, knowsV2 ? 0 : 1)).toBe('NONE')
  if (knowsV2) expect(await broker.produce(producer, 0, knowsV2, 1)).not.toBe('NONE')
  return isDead
}

const cases = [true, false].flatMap((knowsV2) =>
  [true, false].flatMap((committed) =>
    [false, true].flatMap((makesTheLast) =>
      [Infinity, 0, 1, 2, 4].map((again) => ({ knowsV2, committed, makesTheLast, again })),
    ),
  ),
)

describe('a broker that dies while a transaction ends', () => {
  it.each(cases)('V2 $knowsV2, commit $committed, last append made $makesTheLast, again at $again', async (each) => {
    let deaths = 0
    while (await dieOnce({ ...each, at: deaths })) deaths++
    // The end itself, four markers and the completion at the least.
    expect(deaths).toBeGreaterThanOrEqual(6)
  })
})
