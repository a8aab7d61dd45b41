/** The coordinator of transactions over memory: completions that meet failures, requests that wait, sweeps by the clock. */
import { describe, expect, it } from '@jest/globals'
import { PartitionEnrolment } from '../../src/application/partition-enrolment.ts'
import type { MarkerSettled, TransactionMarker } from '../../src/application/transaction-markers.ts'
import { AbortTimedOut } from '../../src/application/use-cases/transactions/abort-timed-out.ts'
import { AddOffsets } from '../../src/application/use-cases/transactions/add-offsets.ts'
import { AddPartitions } from '../../src/application/use-cases/transactions/add-partitions.ts'
import { DescribeTransactions } from '../../src/application/use-cases/transactions/describe-transactions.ts'
import { EndTransaction } from '../../src/application/use-cases/transactions/end-transaction.ts'
import { ExpireTransactionalIds } from '../../src/application/use-cases/transactions/expire-transactional-ids.ts'
import { InitProducerId } from '../../src/application/use-cases/transactions/init-producer-id.ts'
import { ListTransactions } from '../../src/application/use-cases/transactions/list-transactions.ts'
import { CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../../src/domain/cluster/internal-topics.ts'
import type { KafkaError } from '../../src/domain/errors.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import type { TopicPartition } from '../../src/domain/topic-partition.ts'
import { openProduceBroker } from '../support/produce-broker.ts'
import { settle, StallingLogStore } from '../support/stalling-log-store.ts'
import { coordinatorOf } from '../support/transaction-coordinator.ts'

const t = (partition: number) => ({ topic: 't', partition })
const topics = [
  { name: TRANSACTION_STATE_TOPIC, id: 'TxnStateTopicAAAAAAAAA', configs: { 'cleanup.policy': 'compact' } },
  { name: 't', id: 'TopicTAAAAAAAAAAAAAAAA', partitions: 2 },
]

/** Answers for each partition what it is told to: null at once unless told otherwise. */
class Markers {
  readonly written: (TransactionMarker & TopicPartition)[] = []
  readonly errors = new Map<number, KafkaError | 'hang'>()

  write = (marker: TransactionMarker, to: readonly TopicPartition[], settled: MarkerSettled): void => {
    to.forEach((partition, place) => {
      this.written.push({ ...partition, ...marker })
      const error = this.errors.get(partition.partition) ?? null
      if (error !== 'hang') settled(place, error)
    })
  }

  of(partition: number): number {
    return this.written.filter((marker) => marker.partition === partition).length
  }
}

async function open() {
  const logStore = new StallingLogStore()
  const broker = await openProduceBroker(topics, { logStore })
  const { clock, logger, metadata } = broker
  const markers = new Markers()
  const { transactions, producerIds } = coordinatorOf(broker, markers)
  transactions.start()
  await settle()
  /** Timers that the partitions keep. */
  const idleTimers = clock.pending
  const enrolment = new PartitionEnrolment(transactions)
  const init = new InitProducerId(producerIds, transactions, () => ({ transactionMaxTimeoutMs: 900_000 }))
  const ending = new EndTransaction(transactions)
  const describing = new DescribeTransactions(transactions)
  const abortTimedOut = new AbortTimedOut(transactions, clock, clock, logger, () => ({
    transactionAbortTimedOutTransactionCleanupIntervalMs: 10_000,
  }))
  const expireIds = new ExpireTransactionalIds(transactions, clock, logger, () => ({
    transactionalIdExpirationMs: 100_000n,
    transactionRemoveExpiredTransactionCleanupIntervalMs: 50_000,
  }))
  const begin = async (known = { producerId: -1n, producerEpoch: -1 }, transactionalId = 'id') => {
    const { error, ...producer } = await init.execute({ transactionalId, transactionTimeoutMs: 15_000, ...known })
    expect(error).toBe('NONE')
    return { transactionalId, ...producer }
  }
  const end = async (producer: Awaited<ReturnType<typeof begin>>, committed = true) =>
    (await ending.execute({ ...producer, committed, knowsV2: true })).error
  const stateOf = async (id = 'id') => {
    const [described] = await describing.execute([id])
    return described!.error ?? described!.transaction.state
  }
  const add = (producer: Awaited<ReturnType<typeof begin>>, ...partitions: number[]) =>
    enrolment.add({ ...producer, partitions: partitions.map(t) })
  const list = new ListTransactions(transactions, () => ({ error: 'no engine here' }))
  return { ...broker, idleTimers, logStore, metadata, markers, transactions, enrolment, init, ending, begin, end, add, stateOf, abortTimedOut, expireIds, list } // prettier-ignore
}

describe('the completion of a transaction', () => {
  it('writes every marker with the raised epoch, and then the record of it', async () => {
    const { begin, add, end, markers, stateOf, partitions } = await open()
    const producer = await begin()
    await add(producer, 0, 1)
    expect(await end(producer)).toBe('NONE')
    await settle()
    expect(markers.written).toEqual(
      [0, 1].map((partition) => ({
        topic: 't',
        partition,
        producerId: producer.producerId,
        producerEpoch: 1,
        coordinatorEpoch: 3,
        committed: true,
        transactionVersion: 2,
      })),
    )
    expect(await stateOf()).toBe('CompleteCommit')
    const slice = await partitions
      .find(TRANSACTION_STATE_TOPIC, 0)!
      .read(0n, { bytesMax: 10_000, atLeastOne: true }, 'read uncommitted')
    // Unlike Kafka's newer coordinators this one does not number its batches.
    expect(new RecordBatchView(slice.chunks[0]!)).toMatchObject({ producerId: -1n, baseSequence: -1, count: 1 })
  })

  it.each(['NOT_LEADER_OR_FOLLOWER', 'KAFKA_STORAGE_ERROR', 'UNKNOWN_SERVER_ERROR'] as const)(
    'tries a marker again that meets %s, later and later, while the others are written',
    async (error) => {
      const { begin, add, end, markers, stateOf, clock } = await open()
      const producer = await begin()
      await add(producer, 0, 1)
      markers.errors.set(0, error)
      expect(await end(producer, false)).toBe('NONE')
      await settle()
      expect([markers.of(0), markers.of(1)]).toEqual([1, 1])
      for (const [afterMs, attempts] of [
        [49, 1],
        [1, 2],
        [99, 2],
        [1, 3],
      ] as const) {
        // prettier-ignore
        clock.advance(afterMs)
        await settle()
        expect(markers.of(0)).toBe(attempts)
      }
      expect(await stateOf()).toBe('PrepareAbort')
      markers.errors.clear()
      clock.advance(200)
      await settle()
      expect([markers.of(0), markers.of(1), await stateOf()]).toEqual([4, 1, 'CompleteAbort'])
    },
  )

  it.each(['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_PRODUCER_EPOCH', 'TRANSACTION_COORDINATOR_FENCED'] as const)(
    'needs no marker where there is %s',
    async (error) => {
      const { begin, add, end, markers, stateOf } = await open()
      const producer = await begin()
      await add(producer, 0)
      markers.errors.set(0, error)
      await end(producer)
      await settle()
      expect([markers.of(0), await stateOf()]).toEqual([1, 'CompleteCommit'])
    },
  )

  it('holds up no other transaction, and leaves nothing behind when the broker closes', async () => {
    const { begin, add, end, markers, stateOf, transactions, clock } = await open()
    const stuck = await begin()
    await add(stuck, 0)
    markers.errors.set(0, 'NOT_LEADER_OR_FOLLOWER')
    await end(stuck)
    const other = await begin(undefined, 'other')
    await add(other, 1)
    await end(other)
    await settle()
    expect([await stateOf(), await stateOf('other')]).toEqual(['PrepareCommit', 'CompleteCommit'])
    await transactions.close()
    clock.advance(60_000)
    await settle()
    expect(markers.of(0)).toBe(1)
  })
})

describe('a request behind the end of a transaction', () => {
  it('waits until that is complete', async () => {
    const { begin, add, end, markers, init, clock } = await open()
    const producer = await begin()
    await add(producer, 0)
    markers.errors.set(0, 'NOT_LEADER_OR_FOLLOWER')
    await end(producer)
    const next = { ...producer, producerEpoch: 1 }
    const adding = add(next, 1)
    const initialising = init.execute({ ...producer, producerId: -1n, producerEpoch: -1, transactionTimeoutMs: 1_000 })
    await settle()
    markers.errors.clear()
    clock.advance(50)
    await settle()
    expect(await adding).toEqual([null])
    // It found the transaction that the other one began, aborted it, and took the epoch after that.
    clock.advance(50)
    expect(await initialising).toMatchObject({ error: 'NONE', producerEpoch: 3 })
  })

  it('is sent away when that takes long, and it does not wait in vain for an end that nobody works on', async () => {
    const { begin, add, end, markers, clock, init, idleTimers } = await open()
    const producer = await begin()
    await add(producer, 0)
    markers.errors.set(0, 'hang')
    await end(producer)
    const adding = add({ ...producer, producerEpoch: 1 }, 1)
    const again = init.execute({ ...producer, producerEpoch: 1, transactionTimeoutMs: 1_000 })
    await settle()
    clock.advance(100)
    expect(await adding).toEqual(['CONCURRENT_TRANSACTIONS'])
    expect((await again).error).toBe('CONCURRENT_TRANSACTIONS')
    expect(await end(producer)).toBe('CONCURRENT_TRANSACTIONS')
    expect(clock.pending).toBe(idleTimers)
  })
})

describe('partitions of a transaction', () => {
  it('are known at once when they are in, and not before they are written', async () => {
    const { begin, add, enrolment, logStore } = await open()
    const producer = await begin()
    const command = { ...producer, partitions: [t(0)] }
    expect(enrolment.verify(command)).toEqual(['TRANSACTION_ABORTABLE'])
    logStore.stallAppend = true
    const first = add(producer, 0)
    const second = add(producer, 0)
    expect(first).toBeInstanceOf(Promise)
    expect(second).toBeInstanceOf(Promise)
    expect(enrolment.verify(command)).toEqual(['CONCURRENT_TRANSACTIONS'])
    await logStore.release()
    expect([await first, await second]).toEqual([[null], [null]])
    expect(add(producer, 0)).toEqual([null])
    expect(enrolment.verify({ ...producer, partitions: [t(0), t(1)] })).toEqual([null, 'TRANSACTION_ABORTABLE'])
    expect(enrolment.add({ ...command, transactionalId: '' })).toEqual(['INVALID_REQUEST'])
    expect(enrolment.verify({ ...command, transactionalId: '' })).toEqual(['INVALID_REQUEST'])
  })

  it('are not in when their record is lost', async () => {
    const { begin, add, enrolment, logStore } = await open()
    const producer = await begin()
    logStore.failAppend = true
    expect(await add(producer, 0)).toEqual(['NOT_COORDINATOR'])
    expect(enrolment.verify({ ...producer, partitions: [t(0)] })).toEqual(['NOT_COORDINATOR'])
  })

  it('are all taken in or none', async () => {
    const { begin, enrolment, metadata } = await open()
    const { producerId, producerEpoch } = await begin()
    const producer = { transactionalId: 'id', producerId, producerEpoch }
    const adding = new AddPartitions(enrolment, metadata)
    const ask = async (verifyOnly: boolean, ...partitions: number[]) =>
      (
        await adding.execute({
          transactions: [{ ...producer, verifyOnly, partitions: partitions.map(t) }],
          knowsV2: true,
        })
      )[0]
    expect(await ask(false, 0, 9)).toEqual(['OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION'])
    expect(await ask(true, 0)).toEqual(['TRANSACTION_ABORTABLE'])
    expect(await ask(false, 0, 1)).toEqual(['NONE', 'NONE'])
    expect(await ask(true, 0, 1)).toEqual(['NONE', 'NONE'])
  })

  it('are none of the internal topics, but for brokers', async () => {
    const { begin, enrolment, metadata } = await open()
    const producer = await begin()
    const adding = new AddPartitions(enrolment, metadata)
    const partitions = [t(0), { topic: TRANSACTION_STATE_TOPIC, partition: 0 }]
    const ask = (knowsV2: boolean) =>
      adding.execute({ transactions: [{ ...producer, verifyOnly: false, partitions }], knowsV2 })
    expect(await ask(false)).toEqual([['OPERATION_NOT_ATTEMPTED', 'TOPIC_AUTHORIZATION_FAILED']])
    expect(await ask(true)).toEqual([['NONE', 'NONE']])
  })

  it('hold the offsets of groups', async () => {
    const { begin, enrolment, metadata } = await open()
    const producer = await begin()
    const adding = new AddOffsets(enrolment, metadata, () => ({ offsetsTopicNumPartitions: 50 }))
    expect(await adding.execute({ ...producer, groupId: 'g' })).toBe('NONE')
    // Java's hash of "g" is 103.
    const offsets = { topic: CONSUMER_OFFSETS_TOPIC, partition: 3 }
    expect(enrolment.verify({ ...producer, partitions: [offsets] })).toEqual([null])
    expect(await adding.execute({ ...producer, producerEpoch: 9, groupId: 'g' })).toBe('PRODUCER_FENCED')
  })
})

describe('a cluster whose transaction.version is', () => {
  const openAt = async (featureLevel: number) => {
    const broker = await open()
    const record = { type: 'FeatureLevelRecord', name: 'transaction.version', featureLevel } as const
    await broker.metadata.commit(() => ({ records: [record], answer: null }))
    return broker
  }

  it('0 keeps to the older requests: nothing can be recorded of the newer ones', async () => {
    const { begin, add, end, enrolment, stateOf } = await openAt(0)
    const producer = await begin()
    expect(await add(producer, 0)).toEqual(['UNSUPPORTED_VERSION'])
    expect(await end(producer, false)).toBe('UNSUPPORTED_VERSION')
    expect(await stateOf()).toBe('Empty')
    expect(await enrolment.enrol({ ...producer, partitions: [t(0)] }, false)).toEqual([null])
    expect(await end(producer)).toBe('UNSUPPORTED_VERSION')
    expect(await stateOf()).toBe('Ongoing')
  })

  it('1 serves each client as its requests are, and fences as the older broker did', async () => {
    const { begin, add, end, enrolment, ending, markers } = await openAt(1)
    const producer = await begin()
    await enrolment.enrol({ ...producer, partitions: [t(0)] }, false)
    const older = { ...producer, committed: true, knowsV2: false }
    expect(await ending.execute(older)).toEqual({ error: 'NONE', producerId: -1n, producerEpoch: -1 })
    await settle()
    expect(await add(producer, 0)).toEqual([null])
    expect(await end(producer)).toBe('NONE')
    await settle()
    expect(markers.written.map(({ producerEpoch, transactionVersion }) => [producerEpoch, transactionVersion])).toEqual(
      [
        [0, 0],
        [1, 2],
      ],
    )
    const next = { ...producer, producerEpoch: 1 }
    await add(next, 0)
    expect(await begin()).toMatchObject({ producerId: producer.producerId, producerEpoch: 3 })
    expect(markers.written.at(-1)).toMatchObject({ producerEpoch: 2, transactionVersion: 0, committed: false })
  })
})

describe('by the clock', () => {
  it('a transaction that is open for too long is aborted, and its producer fenced', async () => {
    const { begin, add, end, stateOf, abortTimedOut, clock, markers, idleTimers } = await open()
    abortTimedOut.start()
    const producer = await begin()
    await add(producer, 0)
    clock.advance(10_000)
    await settle()
    expect(await stateOf()).toBe('Ongoing')
    clock.advance(10_000)
    await settle()
    expect(await stateOf()).toBe('CompleteAbort')
    expect(markers.written).toMatchObject([{ producerEpoch: 1, committed: false }])
    expect(await end(producer)).toBe('INVALID_TXN_STATE')
    await abortTimedOut.close()
    expect(clock.pending).toBe(idleTimers)
  })

  it('ids that nobody uses are forgotten', async () => {
    const { begin, add, stateOf, expireIds, clock, list, idleTimers } = await open()
    expireIds.start()
    await begin()
    await add(await begin(undefined, 'open'), 0)
    const wanted = { states: [], producerIds: [], longerThanMs: -1n, pattern: null }
    expect(await list.execute(wanted)).toMatchObject({ transactions: [{ state: 'Empty' }, { state: 'Ongoing' }] })
    clock.advance(100_000)
    await settle()
    expect(await list.execute(wanted)).toMatchObject({ transactions: [{ transactionalId: 'open' }] })
    expect(await stateOf()).toBe('TRANSACTIONAL_ID_NOT_FOUND')
    expect(await list.execute({ ...wanted, pattern: 'x' })).toEqual({ error: 'INVALID_REGULAR_EXPRESSION' })
    await expireIds.close()
    expect(clock.pending).toBe(idleTimers)
  })
})
