/**
 * Broker keys of transactions and producer ids, as in Apache Kafka 4.4. Columns: see `BrokerRow`.
 */
import type { BrokerRow } from '../config-definition.ts'

export const transactionBrokerKeys: readonly BrokerRow[] = [
  ['add.partitions.to.txn.retry.backoff.max.ms', 'INT', '100', '[0,...]', 'HIGH', 'read-only'],
  ['add.partitions.to.txn.retry.backoff.ms', 'INT', '20', '[1,...]', 'HIGH', 'read-only'],
  ['producer.id.expiration.check.interval.ms', 'INT', '600000', '[1,...]', 'LOW', 'read-only', 'internal'],
  ['producer.id.expiration.ms', 'INT', '86400000', '[1,...]', 'LOW', 'cluster-wide'],
  ['transaction.abort.timed.out.transaction.cleanup.interval.ms', 'INT', '10000', '[1,...]', 'LOW', 'read-only'],
  ['transaction.max.timeout.ms', 'INT', '900000', '[1,...]', 'HIGH', 'read-only'],
  ['transaction.partition.verification.enable', 'BOOLEAN', 'true', '', 'LOW', 'cluster-wide'],
  ['transaction.remove.expired.transaction.cleanup.interval.ms', 'INT', '3600000', '[1,...]', 'LOW', 'read-only'],
  ['transaction.state.log.load.buffer.size', 'INT', '5242880', '[1,...]', 'HIGH', 'read-only'],
  ['transaction.state.log.min.isr', 'INT', '2', '[1,...]', 'HIGH', 'read-only'],
  ['transaction.state.log.num.partitions', 'INT', '50', '[1,...]', 'HIGH', 'read-only'],
  ['transaction.state.log.replication.factor', 'SHORT', '3', '[1,...]', 'HIGH', 'read-only'],
  ['transaction.state.log.segment.bytes', 'INT', '104857600', '[1,...]', 'HIGH', 'read-only'],
  ['transaction.two.phase.commit.enable', 'BOOLEAN', 'false', '', 'LOW', 'read-only'],
  ['transactional.id.expiration.ms', 'INT', '604800000', '[1,...]', 'HIGH', 'read-only'],
]
