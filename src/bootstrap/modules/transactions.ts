/** Producers, and transactions over partitions and groups. */
import { ContainerModule } from 'inversify'
import { TransactionRecordCodec } from '../../adapters/internal-records/transaction-record-codec.ts'
import { re2Patterns } from '../../adapters/system/re2-patterns.ts'
import { addOffsetsToTxnHandler } from '../../adapters/wire/handlers/add-offsets-to-txn.ts'
import { addPartitionsToTxnHandler } from '../../adapters/wire/handlers/add-partitions-to-txn.ts'
import { describeTransactionsHandler } from '../../adapters/wire/handlers/describe-transactions.ts'
import { endTxnHandler } from '../../adapters/wire/handlers/end-txn.ts'
import { initProducerIdHandler } from '../../adapters/wire/handlers/init-producer-id.ts'
import { listTransactionsHandler } from '../../adapters/wire/handlers/list-transactions.ts'
import { PartitionEnrolment } from '../../application/partition-enrolment.ts'
import { ProducerIds } from '../../application/producer-ids.ts'
import { TransactionCoordinator } from '../../application/transaction-coordinator.ts'
import { AbortTimedOut } from '../../application/use-cases/transactions/abort-timed-out.ts'
import { AddOffsets } from '../../application/use-cases/transactions/add-offsets.ts'
import { AddPartitions } from '../../application/use-cases/transactions/add-partitions.ts'
import { DescribeTransactions } from '../../application/use-cases/transactions/describe-transactions.ts'
import { EndTransaction } from '../../application/use-cases/transactions/end-transaction.ts'
import { ExpireTransactionalIds } from '../../application/use-cases/transactions/expire-transactional-ids.ts'
import { InitProducerId } from '../../application/use-cases/transactions/init-producer-id.ts'
import { ListTransactions } from '../../application/use-cases/transactions/list-transactions.ts'
import { transactionCoordinatorSettings } from '../settings.ts'
import { parts, ports } from '../tokens.ts'

export const transactionsModule = new ContainerModule(({ bind }) => {
  bind(parts.producerIds)
    .toResolvedValue(
      (metadata, server) => new ProducerIds(metadata, () => ({ nodeId: server.nodeId })),
      [ports.metadata, parts.serverConfig],
    )
    .inSingletonScope()

  bind(parts.transactionCoordinator)
    .toResolvedValue(
      (partitions, metadata, clock, timers, logger, checksum, compressor, producerIds, markers, live) => {
        const codec = new TransactionRecordCodec(() => metadata.image().features.get('transaction.version') ?? 0)
        return new TransactionCoordinator(
          { partitions, metadata, clock, timers, logger, checksum, compressor, codec, producerIds, markers },
          () => transactionCoordinatorSettings(live()),
        )
      },
      [
        parts.partitions,
        ports.metadata,
        ports.clock,
        ports.timers,
        ports.logger,
        ports.checksum,
        ports.compressor,
        parts.producerIds,
        parts.transactionMarkers,
        parts.live,
      ],
    )
    .inSingletonScope()

  bind(parts.partitionEnrolment)
    .toResolvedValue((transactions) => new PartitionEnrolment(transactions), [parts.transactionCoordinator])
    .inSingletonScope()

  bind(parts.abortTimedOut)
    .toResolvedValue(
      (transactions, clock, timers, logger, live) =>
        new AbortTimedOut(transactions, clock, timers, logger, () => ({
          transactionAbortTimedOutTransactionCleanupIntervalMs: live().number(
            'transaction.abort.timed.out.transaction.cleanup.interval.ms',
          ),
        })),
      [parts.transactionCoordinator, ports.clock, ports.timers, ports.logger, parts.live],
    )
    .inSingletonScope()

  bind(parts.expireTransactionalIds)
    .toResolvedValue(
      (transactions, timers, logger, live) =>
        new ExpireTransactionalIds(transactions, timers, logger, () => ({
          transactionalIdExpirationMs: BigInt(live().number('transactional.id.expiration.ms')),
          transactionRemoveExpiredTransactionCleanupIntervalMs: live().number(
            'transaction.remove.expired.transaction.cleanup.interval.ms',
          ),
        })),
      [parts.transactionCoordinator, ports.timers, ports.logger, parts.live],
    )
    .inSingletonScope()

  bind(parts.transactionHandlers)
    .toResolvedValue(
      (transactions, enrolment, producerIds, metadata, live) => ({
        InitProducerId: initProducerIdHandler(
          new InitProducerId(producerIds, transactions, () => ({
            transactionMaxTimeoutMs: live().number('transaction.max.timeout.ms'),
          })),
        ),
        AddPartitionsToTxn: addPartitionsToTxnHandler(new AddPartitions(enrolment, metadata)),
        AddOffsetsToTxn: addOffsetsToTxnHandler(
          new AddOffsets(enrolment, metadata, () => ({
            offsetsTopicNumPartitions: live().number('offsets.topic.num.partitions'),
          })),
        ),
        EndTxn: endTxnHandler(new EndTransaction(transactions)),
        DescribeTransactions: describeTransactionsHandler(new DescribeTransactions(transactions)),
        ListTransactions: listTransactionsHandler(new ListTransactions(transactions, re2Patterns())),
      }),
      [parts.transactionCoordinator, parts.partitionEnrolment, parts.producerIds, ports.metadata, parts.live],
    )
    .inSingletonScope()
})
