/** Everything of transactions over some storage and on a manual clock: producers, partitions, offsets, their coordinators. */
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { GroupRecordCodec } from '../../src/adapters/internal-records/group-record-codec.ts'
import { GroupCoordinator } from '../../src/application/group-coordinator.ts'
import type { LogStore } from '../../src/application/ports/log-store.ts'
import { PartitionEnrolment } from '../../src/application/partition-enrolment.ts'
import type { TransactionEnrolment } from '../../src/application/transaction-enrolment.ts'
import { TransactionMarkers } from '../../src/application/transaction-markers.ts'
import { DescribeTransactions } from '../../src/application/use-cases/transactions/describe-transactions.ts'
import { EndTransaction } from '../../src/application/use-cases/transactions/end-transaction.ts'
import { InitProducerId } from '../../src/application/use-cases/transactions/init-producer-id.ts'
import { CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../../src/domain/cluster/internal-topics.ts'
import { LEAVE_NOT_CHECKED } from '../../src/domain/log/transaction-leaves.ts'
import { ZERO_UUID } from '../../src/domain/uuid.ts'
import { offsetRecord } from './coordinator-broker.ts'
import { openProduceBroker, testLease, type ProduceBrokerOptions } from './produce-broker.ts'
import { batchOf } from './records.ts'
import { settle } from './stalling-log-store.ts'
import { testChecksum } from './stored-batches.ts'
import { coordinatorOf } from './transaction-coordinator.ts'

const configs = { 'cleanup.policy': 'compact' }
const topics = [
  { name: TRANSACTION_STATE_TOPIC, id: 'TxnStateTopicAAAAAAAAA', partitions: 2, configs },
  { name: CONSUMER_OFFSETS_TOPIC, id: 'OffsetsTopicAAAAAAAAAA', configs },
  { name: 't', id: 'TopicTAAAAAAAAAAAAAAAA', partitions: 3 },
]
export const offsetsPartition = { topic: CONSUMER_OFFSETS_TOPIC, partition: 0 }

/** A producer as the broker knows it. */
export interface KnownProducer {
  readonly producerId: bigint
  readonly producerEpoch: number
}

export async function openTransactionBroker(
  logStore: LogStore,
  options: Pick<ProduceBrokerOptions, 'metadata' | 'startMs'> = {},
) {
  let enrolment: TransactionEnrolment | null = null
  const broker = await openProduceBroker(topics, {
    ...options,
    logStore,
    enrolment: { add: (command) => enrolment!.add(command), verify: (command) => enrolment!.verify(command) },
  })
  const { partitions, metadata, clock, logger, produceRecords } = broker
  const ports = { partitions, metadata, clock, timers: clock, logger, checksum: testChecksum }
  const groups = new GroupCoordinator(
    { ...ports, compressor: new CodecCompressor(), codec: new GroupRecordCodec() },
    () => ({ offsetsLoadBufferSize: 1_000, groupCoordinatorAppendLingerMs: -1 }),
  )
  const markers = new TransactionMarkers(partitions, groups, clock, testChecksum)
  const { transactions, producerIds } = coordinatorOf(broker, markers)
  const enrolled = new PartitionEnrolment(transactions)
  enrolment = enrolled
  groups.start()
  transactions.start()
  const initProducer = new InitProducerId(producerIds, transactions, () => ({ transactionMaxTimeoutMs: 900_000 }))
  const endTransaction = new EndTransaction(transactions)
  const describe = new DescribeTransactions(transactions)

  /** Lets everything run, with time for whatever is tried again. */
  const run = async () => {
    for (let i = 0; i < 10; i++) {
      await settle()
      clock.advance(3_000)
    }
    await settle()
  }
  const init = (transactionalId = 'id', known: KnownProducer = { producerId: -1n, producerEpoch: -1 }) =>
    initProducer.execute({ transactionalId, transactionTimeoutMs: 60_000, ...known })
  /** One record to one partition of `t`. */
  const produce = async (producer: KnownProducer, index: number, knowsV2 = true, baseSequence = 0) => {
    const framing = { ...producer, baseSequence, transactional: true }
    const answer = await produceRecords.execute({
      acks: -1,
      byId: false,
      zstd: true,
      clientId: null,
      transactionalId: 'id',
      addsPartitions: knowsV2,
      knowsAbortable: true,
      lease: testLease(),
      topics: [{ name: 't', topicId: ZERO_UUID, partitions: [{ index, records: batchOf(['v'], framing) }] }],
    })
    return answer[0]!.partitions[0]!.result.error
  }
  const commitOffset = (producer: KnownProducer, offset: bigint) =>
    groups.coordinator.run('g', () => ({ records: [offsetRecord(offset)], answer: null }), {
      ...producer,
      leave: LEAVE_NOT_CHECKED,
    })
  const committedOffset = async () => {
    const read = (shard: Parameters<Parameters<typeof groups.coordinator.run>[1]>[0]) => ({
      records: [],
      answer: shard.offsets.get('g', 't', 0)?.offset ?? null,
    })
    return (await groups.coordinator.run('g', read)).answer
  }
  const stateOf = async (transactionalId = 'id') => {
    const [described] = await describe.execute([transactionalId])
    return described!.error ?? described!.transaction.state
  }
  return {
    ...broker,
    groups,
    markers,
    transactions,
    enrolment: enrolled,
    endTransaction,
    run,
    init,
    produce,
    commitOffset,
    committedOffset,
    stateOf,
  }
}
