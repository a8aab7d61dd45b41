/**
 * One death of a broker while it ends a transaction, and another while the next one completes what it left. Whatever
 * the storage is: every partition gets the marker that was decided on and no other, nothing stays open, the client's
 * repeated request is answered as the first should have been, and its producer goes on.
 */
import { expect } from '@jest/globals'
import type { LogStore } from '../../src/application/ports/log-store.ts'
import { readEndMarker } from '../../src/domain/log/end-marker.ts'
import { batchesIn } from './records.ts'
import { offsetsPartition, openTransactionBroker, type KnownProducer } from './transaction-broker.ts'

type Opened = Awaited<ReturnType<typeof openTransactionBroker>>

const written = [0, 1, 2].map((partition) => ({ topic: 't', partition }))

export interface Death {
  readonly knowsV2: boolean
  readonly committed: boolean
  /** The step of the storage at which it dies. */
  readonly at: number
  /** And the one at which the next broker dies, counted from its start. */
  readonly again: number
}

/** A storage that outlives its brokers. */
export interface MortalStorage {
  /** What the next broker has, which dies at a step from now on. */
  next(stepsLeft: number): LogStore
  /** The present broker dies at a step from now on. */
  dieAfter(steps: number): void
  readonly isDead: boolean
  /** Resolves when the present broker is dead, if nothing that it awaits does so any more. */
  readonly died: Promise<unknown>
  /** Lets it do what it has begun. */
  rest(): Promise<void>
}

/** Until nothing is under way; what is tried again has its time. */
async function run(broker: Opened, storage: MortalStorage): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await storage.rest()
    await broker.run()
  }
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
export async function dieOnce(storage: MortalStorage, death: Death): Promise<boolean> {
  const { knowsV2, committed } = death
  let broker = await openTransactionBroker(storage.next(Infinity))
  await run(broker, storage)
  const producer = await begin(broker, knowsV2)
  const request = { transactionalId: 'id', ...producer, committed, knowsV2 }

  storage.dieAfter(death.at)
  const answers: string[] = []
  void broker.endTransaction.execute(request).then(({ error }) => answers.push(error))
  await run(broker, storage)
  const { isDead } = storage

  const next = openTransactionBroker(storage.next(death.again)).then((opened) => run(opened, storage))
  await Promise.race([next, storage.died])
  broker = await openTransactionBroker(storage.next(Infinity))
  await run(broker, storage)
  const state = await broker.stateOf()
  // What was answered is so, whatever happened behind the answer.
  if (answers.includes('NONE')) expect(state).not.toBe('Ongoing')
  const repeated = await broker.endTransaction.execute(request)
  const after = knowsV2 ? { ...producer, producerEpoch: producer.producerEpoch + 1 } : producer
  expect(repeated).toEqual({ error: 'NONE', ...(knowsV2 ? after : { producerId: -1n, producerEpoch: -1 }) })
  await run(broker, storage)
  await expectOutcome(broker, producer, death)

  const enrolled = await broker.enrolment.enrol({ transactionalId: 'id', ...after, partitions: [written[0]!] }, knowsV2)
  expect(enrolled).toEqual([null])
  expect(await broker.produce(after, 0, knowsV2, knowsV2 ? 0 : 1)).toBe('NONE')
  if (knowsV2) expect(await broker.produce(producer, 0, knowsV2, 1)).not.toBe('NONE')
  return isDead
}
