/** What of transactions concerns the partitions that they write to. */
import { ContainerModule } from 'inversify'
import { describeProducersHandler } from '../../adapters/wire/handlers/describe-producers.ts'
import { txnOffsetCommitHandler } from '../../adapters/wire/handlers/txn-offset-commit.ts'
import { writeTxnMarkersHandler } from '../../adapters/wire/handlers/write-txn-markers.ts'
import { TransactionMarkers } from '../../application/transaction-markers.ts'
import { CommitTransactionalOffsets } from '../../application/use-cases/groups/commit-transactional-offsets.ts'
import { DescribeProducers } from '../../application/use-cases/transactions/describe-producers.ts'
import { WriteMarkers } from '../../application/use-cases/transactions/write-markers.ts'
import { offsetSettings, produceSettings } from '../settings.ts'
import { parts, ports } from '../tokens.ts'

export const transactionLogModule = new ContainerModule(({ bind }) => {
  bind(parts.transactionMarkers)
    .toResolvedValue(
      (partitions, groups, clock, checksum) => new TransactionMarkers(partitions, groups, clock, checksum),
      [parts.partitions, parts.groupCoordinator, ports.clock, ports.checksum],
    )
    .inSingletonScope()

  bind(parts.transactionLogHandlers)
    .toResolvedValue(
      (markers, partitions, groups, enrolment, metadata, live) => ({
        WriteTxnMarkers: writeTxnMarkersHandler(new WriteMarkers(markers)),
        TxnOffsetCommit: txnOffsetCommitHandler(
          new CommitTransactionalOffsets({ groups, partitions, enrolment, metadata }, () => ({
            ...offsetSettings(live()),
            ...produceSettings(live()),
          })),
        ),
        DescribeProducers: describeProducersHandler(new DescribeProducers(partitions)),
      }),
      [
        parts.transactionMarkers,
        parts.partitions,
        parts.groupCoordinator,
        parts.partitionEnrolment,
        ports.metadata,
        parts.live,
      ],
    )
    .inSingletonScope()
})
