/**
 * The reserved ids of log directories in the metadata log (KIP-858, `DirectoryId` of Kafka 4.3). Any other id is that
 * of a directory, as its `meta.properties` says.
 */
import type { Uuid } from '../uuid.ts'

/** The replica was placed before directories were recorded (metadata level below 17). It counts as online. */
export const MIGRATING_DIRECTORY: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The broker has not said yet which of its directories holds the replica. It counts as online. */
export const UNASSIGNED_DIRECTORY: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** The replica's directory is gone. */
export const LOST_DIRECTORY: Uuid = 'AAAAAAAAAAAAAAAAAAAAAg'
