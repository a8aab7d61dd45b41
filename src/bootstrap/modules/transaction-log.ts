/** What of transactions concerns the partitions that they write to. */
import { ContainerModule } from 'inversify'
import { TransactionMarkers } from '../../application/transaction-markers.ts'
import { parts, ports } from '../tokens.ts'

export const transactionLogModule = new ContainerModule(({ bind }) => {
  bind(parts.transactionMarkers)
    .toResolvedValue(
      (partitions, groups, clock, checksum) => new TransactionMarkers(partitions, groups, clock, checksum),
      [parts.partitions, parts.groupCoordinator, ports.clock, ports.checksum],
    )
    .inSingletonScope()
})
