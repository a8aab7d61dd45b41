/** Producers of transactions over a raw connection, in the requests of Transactions V2 or of the clients before it. */
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { listOffsets } from '../../src/adapters/wire/apis/02-list-offsets.ts'
import { offsetFetch } from '../../src/adapters/wire/apis/09-offset-fetch.ts'
import { findCoordinator } from '../../src/adapters/wire/apis/10-find-coordinator.ts'
import { initProducerId } from '../../src/adapters/wire/apis/22-init-producer-id.ts'
import { addOffsetsToTxn } from '../../src/adapters/wire/apis/25-add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../src/adapters/wire/apis/24-add-partitions-to-txn.ts'
import { endTxn } from '../../src/adapters/wire/apis/26-end-txn.ts'
import { txnOffsetCommit } from '../../src/adapters/wire/apis/28-txn-offset-commit.ts'
import { describeTransactions } from '../../src/adapters/wire/apis/65-describe-transactions.ts'
import { readEndMarker } from '../../src/domain/log/end-marker.ts'
import { batchOf, batchesIn, fetchFrom, recordsOf, textOf, topicIdOf } from './records.ts'
import type { WireClient } from './wire-client.ts'

/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, CONCURRENT_TRANSACTIONS and the like. */
const TRY_AGAIN = new Set([3, 5, 6, 14, 15, 16, 51])
const TRANSACTION = 1

/** A producer and where it is in its transactions; `epoch` follows the answers. */
export interface LiveProducer {
  readonly transactionalId: string
  readonly knowsV2: boolean
  producerId: bigint
  epoch: number
  /** The next sequence by `topic-partition`. */
  readonly sequences: Map<string, number>
}

/** Between two questions to a broker of another process. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10))

/** Asks until the answer is no error that goes away by itself; the last answer. */
export async function untilSettled<T>(ask: () => Promise<T>, codeOf: (answer: T) => number): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (!TRY_AGAIN.has(codeOf(answer))) return answer
    await pause()
  }
}

function expectNone(code: number, what: string): void {
  if (code !== 0) throw new Error(`${what}: error ${code}`)
}

export async function initProducer(
  client: WireClient,
  transactionalId: string,
  { knowsV2 = true, timeoutMs = 60_000, known = { producerId: -1n, producerEpoch: -1 } } = {},
): Promise<LiveProducer> {
  const found = { key: transactionalId, keyType: TRANSACTION }
  await untilSettled(
    () => client.send(findCoordinator, 3, found),
    ({ errorCode }) => errorCode,
  )
  const request = { transactionalId, transactionTimeoutMs: timeoutMs, ...known }
  const { errorCode, producerId, producerEpoch } = await untilSettled(
    () => client.send(initProducerId, 4, request),
    (answer) => answer.errorCode,
  )
  expectNone(errorCode, `InitProducerId of ${transactionalId}`)
  return { transactionalId, knowsV2, producerId, epoch: producerEpoch, sequences: new Map() }
}

function idOf({ producerId, epoch }: LiveProducer) {
  return { producerId, producerEpoch: epoch }
}

/** One batch to each of the partitions, as part of the transaction. */
export async function writeTransactional(
  client: WireClient,
  producer: LiveProducer,
  topic: string,
  partitions: readonly number[],
  values: readonly string[],
): Promise<void> {
  const { transactionalId, knowsV2, sequences } = producer
  if (!knowsV2) {
    const added = await untilSettled(
      () =>
        client.send(addPartitionsToTxn, 3, {
          v3AndBelowTransactionalId: transactionalId,
          v3AndBelowProducerId: producer.producerId,
          v3AndBelowProducerEpoch: producer.epoch,
          v3AndBelowTopics: [{ name: topic, partitions: [...partitions] }],
        }),
      ({ resultsByTopicV3AndBelow: [first] }) => first!.resultsByPartition[0]!.partitionErrorCode,
    )
    for (const { partitionErrorCode } of added.resultsByTopicV3AndBelow[0]!.resultsByPartition) {
      expectNone(partitionErrorCode, `AddPartitionsToTxn of ${transactionalId}`)
    }
  }
  const partitionData = partitions.map((index) => {
    const baseSequence = sequences.get(`${topic}-${index}`) ?? 0
    const framing = { ...idOf(producer), baseSequence, transactional: true }
    return { index, records: batchOf(values, framing, BigInt(Date.now())) }
  })
  const request = { transactionalId, acks: -1, timeoutMs: 10_000, topicData: [{ name: topic, partitionData }] }
  const { responses } = await untilSettled(
    () => client.send(produce, knowsV2 ? 12 : 11, request),
    (answer) => answer.responses[0]!.partitionResponses[0]!.errorCode,
  )
  for (const { index, errorCode } of responses[0]!.partitionResponses) {
    expectNone(errorCode, `Produce of ${transactionalId} to ${topic}-${index}`)
    const key = `${topic}-${index}`
    sequences.set(key, (sequences.get(key) ?? 0) + values.length)
  }
}

/** The offset of partition 0 of a topic, for a group. */
export async function commitInTransaction(
  client: WireClient,
  producer: LiveProducer,
  groupId: string,
  topic: string,
  offset: bigint,
): Promise<void> {
  const { transactionalId, knowsV2 } = producer
  await untilSettled(
    () => client.send(findCoordinator, 3, { key: groupId, keyType: 0 }),
    ({ errorCode }) => errorCode,
  )
  if (!knowsV2) {
    const { errorCode } = await untilSettled(
      () => client.send(addOffsetsToTxn, 3, { transactionalId, ...idOf(producer), groupId }),
      (answer) => answer.errorCode,
    )
    expectNone(errorCode, `AddOffsetsToTxn of ${transactionalId}`)
  }
  const request = {
    transactionalId,
    groupId,
    ...idOf(producer),
    memberId: '',
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }] }],
  }
  const { topics } = await untilSettled(
    () => client.send(txnOffsetCommit, knowsV2 ? 5 : 4, request),
    (answer) => answer.topics[0]!.partitions[0]!.errorCode,
  )
  expectNone(topics[0]!.partitions[0]!.errorCode, `TxnOffsetCommit of ${transactionalId}`)
}

export async function endTransaction(client: WireClient, producer: LiveProducer, committed: boolean): Promise<void> {
  const { transactionalId, knowsV2, sequences } = producer
  const request = { transactionalId, ...idOf(producer), committed }
  const answer = await untilSettled(
    () => client.send(endTxn, knowsV2 ? 5 : 4, request),
    ({ errorCode }) => errorCode,
  )
  expectNone(answer.errorCode, `EndTxn of ${transactionalId}`)
  if (!knowsV2) return
  producer.producerId = answer.producerId
  producer.epoch = answer.producerEpoch
  sequences.clear()
}

/** The state of a transaction once its markers are written, if it is ending. */
export async function settledState(client: WireClient, transactionalId: string): Promise<string> {
  for (;;) {
    const { transactionStates } = await client.send(describeTransactions, 0, { transactionalIds: [transactionalId] })
    const { errorCode, transactionState } = transactionStates[0]!
    if (errorCode === 0 && !transactionState.startsWith('Prepare')) return transactionState
    if (errorCode !== 0 && !TRY_AGAIN.has(errorCode)) throw new Error(`${transactionalId}: error ${errorCode}`)
    await pause()
  }
}

/** Where readers of committed records stop. */
export async function stableEndOf(client: WireClient, name: string, partitionIndex: number): Promise<bigint> {
  const topics = [{ name, partitions: [{ partitionIndex, timestamp: -1n }] }]
  const answer = await untilSettled(
    () => client.send(listOffsets, 8, { replicaId: -1, isolationLevel: 1, topics }),
    (each) => each.topics[0]!.partitions[0]!.errorCode,
  )
  return answer.topics[0]!.partitions[0]!.offset
}

/** The committed offset of partition 0 of a topic, once none is pending; -1 = none. */
export async function settledOffset(client: WireClient, groupId: string, topic: string): Promise<bigint> {
  const asked = { groupId, topics: [{ name: topic, partitionIndexes: [0] }] }
  for (;;) {
    const { groups } = await client.send(offsetFetch, 8, { groups: [asked], requireStable: true })
    const { errorCode, topics } = groups[0]!
    const partition = topics[0]?.partitions[0]
    // UNSTABLE_OFFSET_COMMIT while one is pending.
    if (errorCode === 0 && partition!.errorCode === 0) return partition!.committedOffset
    if (errorCode === 0 && partition!.errorCode !== 88) throw new Error(`${groupId}: error ${partition!.errorCode}`)
    await pause()
  }
}

/** The values that a reader of committed records gets of a partition, up to where they are stable. */
export async function committedValues(
  client: WireClient,
  topic: string,
  partition: number,
): Promise<readonly string[]> {
  const topicId = await topicIdOf(client, topic)
  const end = await stableEndOf(client, topic, partition)
  const values: string[] = []
  for (let from = 0n; from < end;) {
    const { responses } = await fetchFrom(client, topicId, partition, from, { isolationLevel: 1 })
    const { errorCode, records, abortedTransactions } = responses[0]!.partitions[0]!
    expectNone(errorCode, `Fetch of ${topic}-${partition} at ${from}`)
    const starts = [...(abortedTransactions ?? [])].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
    const aborted = new Set<bigint>()
    for (const batch of batchesIn(records ?? new Uint8Array())) {
      while (starts[0] !== undefined && starts[0].firstOffset <= batch.lastOffset)
        aborted.add(starts.shift()!.producerId)
      if (batch.isControl && readEndMarker(batch)?.committed === false) aborted.delete(batch.producerId)
      const counts = !batch.isControl && !(batch.isTransactional && aborted.has(batch.producerId))
      if (counts) values.push(...recordsOf(batch).map(({ value }) => textOf(value)!))
      from = batch.lastOffset + 1n
    }
  }
  return values
}
