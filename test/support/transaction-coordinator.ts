/** The coordinator of transactions over the partitions of a broker in memory, with markers that a test keeps. */
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { TransactionRecordCodec } from '../../src/adapters/internal-records/transaction-record-codec.ts'
import type { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import type { Partitions } from '../../src/application/partitions.ts'
import type { Logger } from '../../src/application/ports/logger.ts'
import type { MetadataRepository } from '../../src/application/ports/metadata-repository.ts'
import { ProducerIds } from '../../src/application/producer-ids.ts'
import type { MarkerWriter } from '../../src/application/transaction-completions.ts'
import { TransactionCoordinator } from '../../src/application/transaction-coordinator.ts'
import { testChecksum } from './stored-batches.ts'

export interface TransactionBroker {
  readonly partitions: Partitions
  readonly metadata: MetadataRepository
  readonly clock: ManualClock
  readonly logger: Logger
}

export function coordinatorOf(
  { partitions, metadata, clock, logger }: TransactionBroker,
  markers: MarkerWriter = { write: (_, to, settled) => to.forEach((_to, place) => settled(place, null)) },
) {
  const producerIds = new ProducerIds(metadata, () => ({ nodeId: 1 }))
  const codec = new TransactionRecordCodec(() => metadata.image().features.get('transaction.version') ?? 0)
  const compressor = new CodecCompressor()
  const checksum = testChecksum
  const transactions = new TransactionCoordinator(
    { partitions, metadata, clock, timers: clock, logger, checksum, compressor, codec, producerIds, markers },
    () => ({ transactionStateLogLoadBufferSize: 1_000, addPartitionsToTxnRetryBackoffMaxMs: 100 }),
  )
  return { transactions, producerIds }
}
