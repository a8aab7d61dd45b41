/** The way of a read that is not a fetch to its partition. */
import type { KafkaError } from '../../../domain/errors.ts'
import type { PartitionDirectory, ReadablePartition } from '../../partition.ts'
import { StorageError } from '../../ports/log-store.ts'

/** The open partition, or why it cannot be read. */
export async function openPartition(
  directory: PartitionDirectory,
  topic: string,
  partition: number,
): Promise<ReadablePartition | KafkaError> {
  const found = directory.find(topic, partition)
  if (found === null) return 'UNKNOWN_TOPIC_OR_PARTITION'
  if (found.state === 'opening') await found.whenOpen()
  if (found.state === 'closed') return 'UNKNOWN_TOPIC_OR_PARTITION'
  return found.state === 'open' ? found : 'KAFKA_STORAGE_ERROR'
}

/** Runs `read`; what the storage cannot do is KAFKA_STORAGE_ERROR, everything else that it throws is a bug. */
export async function orStorageError<T>(read: () => Promise<T>): Promise<T | KafkaError> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof StorageError) return 'KAFKA_STORAGE_ERROR'
    throw cause
  }
}
