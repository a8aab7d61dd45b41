/** Transactions in a directory that a real Kafka 4.3.1 wrote, as that Kafka described them, and the time-out of one. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import { listOffsets } from '../../src/adapters/wire/apis/02-list-offsets.ts'
import { findCoordinator } from '../../src/adapters/wire/apis/10-find-coordinator.ts'
import { initProducerId } from '../../src/adapters/wire/apis/22-init-producer-id.ts'
import { describeProducers } from '../../src/adapters/wire/apis/61-describe-producers.ts'
import { describeTransactions } from '../../src/adapters/wire/apis/65-describe-transactions.ts'
import { listTransactions } from '../../src/adapters/wire/apis/66-list-transactions.ts'
import { createBroker, type Broker } from '../../src/index.ts'
import { fetchFrom } from '../support/records.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

const golden = join(import.meta.dirname, '..', 'fixtures', 'golden', 'groups-txns')
/** Shortly after the directory was written. */
const WRITTEN_MS = 1_795_352_955_000n

interface ExpectedTransaction {
  readonly producerId: number
  readonly state: string
  readonly producerEpoch: number
  readonly timeoutMs: number
  readonly startTimeMs?: number
  /** As `[a-0, b-1]`. */
  readonly partitions: string
}

interface ExpectedPartition {
  readonly p: number
  readonly endOffset: number
  readonly lastStableOffset: number
  readonly producers?: readonly {
    readonly producerId: number
    readonly epoch: number
    readonly lastSequence: number
    readonly lastTimestamp: number
    readonly coordinatorEpoch?: number
    readonly currentTxnStartOffset?: number
  }[]
}

const { transactions, topics, abortedTransactions } = JSON.parse(
  readFileSync(join(golden, 'expected.json'), 'utf8'),
) as {
  readonly transactions: Readonly<Record<string, ExpectedTransaction>>
  readonly topics: Readonly<Record<string, { readonly id: string; readonly partitions: readonly ExpectedPartition[] }>>
  /** By `topic-partition`; none where none were aborted. */
  readonly abortedTransactions: Readonly<
    Record<
      string,
      readonly { readonly producerId: number; readonly firstOffset: number; readonly lastOffset: number }[]
    >
  >
}
const partitions = Object.entries(topics).flatMap(([topic, { id, partitions: each }]) =>
  each.map((expected) => [`${topic}-${expected.p}`, topic, id, expected] as const),
)
const all = Object.entries(transactions)

describe('transactions of a real broker', () => {
  const folder = temporaryFolder()
  const clock = new ManualClock(WRITTEN_MS)
  let broker: Broker
  let client: WireClient

  beforeAll(async () => {
    cpSync(join(golden, 'data'), join(folder.path, 'data'), { recursive: true })
    broker = await createBroker({ 'log.dirs': join(folder.path, 'data') }, { clock, timers: clock }).start()
    const { host, port } = broker.address()
    client = await WireClient.connect(host, port)
    while ((await list()).errorCode !== 0);
  })

  afterAll(async () => {
    client.close()
    await broker.close()
    folder.remove()
  })

  const list = (filter: { readonly states?: string[]; readonly ids?: bigint[]; readonly pattern?: string } = {}) =>
    client.send(listTransactions, 2, {
      stateFilters: filter.states ?? [],
      producerIdFilters: filter.ids ?? [],
      transactionalIdPattern: filter.pattern ?? null,
    })
  const described = async (transactionalId: string) => {
    const answer = await client.send(describeTransactions, 0, { transactionalIds: [transactionalId] })
    return answer.transactionStates[0]!
  }
  const stableOffset = async (name: string, partitionIndex: number) => {
    const topics = [{ name, partitions: [{ partitionIndex, timestamp: -1n }] }]
    const answer = await client.send(listOffsets, 8, { replicaId: -1, isolationLevel: 1, topics })
    return answer.topics[0]!.partitions[0]!.offset
  }

  it('have their coordinator', async () => {
    const coordinatorKeys = Object.keys(transactions)
    const { coordinators } = await client.send(findCoordinator, 6, { keyType: 1, coordinatorKeys })
    expect(coordinators.map(({ errorCode }) => errorCode)).toEqual(coordinatorKeys.map(() => 0))
  })

  it.each(all)('%s is described', async (transactionalId, expected) => {
    const { topics, ...state } = await described(transactionalId)
    expect(state).toMatchObject({
      errorCode: 0,
      transactionalId,
      transactionState: expected.state,
      transactionTimeoutMs: expected.timeoutMs,
      transactionStartTimeMs: BigInt(expected.startTimeMs ?? -1),
      producerId: BigInt(expected.producerId),
      producerEpoch: expected.producerEpoch,
    })
    const partitions = topics.flatMap(({ topic, partitions: ids }) => ids.map((id) => `${topic}-${id}`))
    expect(`[${partitions.sort().join(', ')}]`).toBe(expected.partitions)
  })

  it('are listed, all and by filters', async () => {
    const told = ({ transactionStates }: Awaited<ReturnType<typeof list>>) =>
      transactionStates
        .map(({ transactionalId, producerId, transactionState }) => [
          transactionalId,
          Number(producerId),
          transactionState,
        ])
        .sort()
    const those = (wanted: (id: string, transaction: ExpectedTransaction) => boolean) =>
      all.filter(([id, each]) => wanted(id, each)).map(([id, each]) => [id, each.producerId, each.state])
    expect(told(await list())).toEqual(those(() => true))
    expect(told(await list({ states: ['Ongoing'] }))).toEqual(those((_, { state }) => state === 'Ongoing'))
    expect(told(await list({ ids: [2n, 9n] }))).toEqual(those((_, { producerId }) => [2, 9].includes(producerId)))
    expect(told(await list({ pattern: 'tx-ongoing-.*' }))).toEqual(those((id) => id.startsWith('tx-ongoing-')))
    expect(told(await list({ pattern: 'ongoing' }))).toEqual([])
    expect((await list({ pattern: '(' })).errorCode).toBe(128)
  })

  it.each(partitions)(
    'readers of %s are told what is stable and what was aborted',
    async (name, topic, id, expected) => {
      const { p, endOffset, lastStableOffset } = expected
      const fetched = async (isolationLevel: number, from: number) => {
        const { responses } = await fetchFrom(client, id, p, BigInt(from), { isolationLevel })
        return responses[0]!.partitions[0]!
      }
      const told = { errorCode: 0, highWatermark: BigInt(endOffset), lastStableOffset: BigInt(lastStableOffset) }
      const committed = await fetched(1, 0)
      const uncommitted = await fetched(0, 0)
      expect(committed).toMatchObject(told)
      expect(uncommitted).toMatchObject(told)
      expect(await stableOffset(topic, p)).toBe(BigInt(lastStableOffset))
      const aborted = abortedTransactions[name] ?? []
      const listed = (known: typeof aborted) =>
        known.map(({ producerId, firstOffset }) => ({
          producerId: BigInt(producerId),
          firstOffset: BigInt(firstOffset),
        }))
      expect(committed.abortedTransactions).toEqual(listed(aborted))
      expect(uncommitted.abortedTransactions).toBeNull()
      const [earliest] = aborted
      if (earliest === undefined || earliest.lastOffset + 1 >= lastStableOffset) return
      const later = aborted.filter(({ lastOffset }) => lastOffset > earliest.lastOffset)
      expect((await fetched(1, earliest.lastOffset + 1)).abortedTransactions).toEqual(listed(later))
    },
  )

  it.each(partitions)('the producers of %s are described', async (_, topic, __, { p, producers = [] }) => {
    const answer = await client.send(describeProducers, 0, { topics: [{ name: topic, partitionIndexes: [p] }] })
    const { errorCode, activeProducers } = answer.topics[0]!.partitions[0]!
    expect(errorCode).toBe(0)
    const known = new Map(activeProducers.map((each) => [Number(each.producerId), each]))
    for (const { producerId, epoch, lastSequence, lastTimestamp, ...rest } of producers) {
      expect(known.get(producerId)).toEqual({
        ...{ producerId: BigInt(producerId), producerEpoch: epoch, lastSequence, lastTimestamp: BigInt(lastTimestamp) },
        coordinatorEpoch: rest.coordinatorEpoch ?? -1,
        currentTxnStartOffset: BigInt(rest.currentTxnStartOffset ?? -1),
      })
    }
    const open = (each: { readonly currentTxnStartOffset?: number | bigint }) => (each.currentTxnStartOffset ?? -1) >= 0
    expect(activeProducers.filter(open)).toHaveLength(producers.filter(open).length)
  })

  it('no producers are described of what is not there (observed on 4.3.1)', async () => {
    const asked = ['nope', 'ong'].map((name) => ({ name, partitionIndexes: [99] }))
    const { topics } = await client.send(describeProducers, 0, { topics: asked })
    const errorMessage = 'This server does not host this topic-partition.'
    expect(topics[0]!.partitions).toMatchObject([{ errorCode: 3, errorMessage, activeProducers: [] }])
    expect(topics[1]!.partitions).toMatchObject([{ errorCode: 3, errorMessage: null, activeProducers: [] }])
  })

  it('one that is open for too long is aborted, and its producer fenced', async () => {
    expect(await stableOffset('ong', 0)).toBe(0n)
    clock.advance(70_000)
    while ((await described('tx-ongoing-short')).transactionState !== 'CompleteAbort');
    expect(await described('tx-ongoing-short')).toMatchObject({ producerEpoch: 1, topics: [] })
    expect(await stableOffset('ong', 0)).toBe(4n)
    expect((await described('tx-ongoing-long')).transactionState).toBe('Ongoing')
  })

  it('go on where they were', async () => {
    const init = (transactionalId: string, known: object = {}) =>
      client.send(initProducerId, 5, { transactionalId, transactionTimeoutMs: 60_000, ...known })
    expect(await init('tx-commit', { producerId: 2n, producerEpoch: 1 })).toMatchObject({ errorCode: 0, producerId: 2n, producerEpoch: 2 }) // prettier-ignore
    expect(await init('tx-commit')).toMatchObject({ errorCode: 0, producerId: 2n, producerEpoch: 3 })
    expect(await init('tx-new')).toMatchObject({ errorCode: 0, producerEpoch: 0 })
  })
})
