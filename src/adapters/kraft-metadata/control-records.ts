/** The control records of the metadata log and its snapshots (KIP-595, KIP-630, KIP-853), bytes ↔ values. */
import { decode, encode } from '../codec/codec.ts'
import type { Fields, Message, ValueOf, WritableOf } from '../codec/schema.ts'
import { inRange } from '../codec/schema.ts'
import {
  kRaftVersionRecord,
  leaderChangeMessage,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
} from './control-record-schemas.ts'
import type { NewRecord } from '../../domain/log/batch-writer.ts'
import { UnknownMetadataRecord } from './metadata-record-codec.ts'

export type LeaderChange = WritableOf<typeof leaderChangeMessage>
export type Voters = ValueOf<typeof votersRecord>

export type ControlRecord =
  | { readonly type: 'LeaderChange'; readonly value: LeaderChange }
  | { readonly type: 'SnapshotHeader'; readonly value: ValueOf<typeof snapshotHeaderRecord> }
  | { readonly type: 'SnapshotFooter'; readonly value: ValueOf<typeof snapshotFooterRecord> }
  | { readonly type: 'KRaftVersion'; readonly value: ValueOf<typeof kRaftVersionRecord> }
  | { readonly type: 'Voters'; readonly value: Voters }

const LEADER_CHANGE = 2
const SNAPSHOT_HEADER = 3
const SNAPSHOT_FOOTER = 4
const KRAFT_VERSION = 5
const VOTERS = 6

/** The log record that holds a control record. */
export function controlLogRecord(record: ControlRecord, timestamp: bigint): NewRecord {
  const [type, value] = encodeControl(record)
  return { timestamp, key: Uint8Array.of(0, 0, 0, type), value }
}

function encodeControl(record: ControlRecord): readonly [number, Uint8Array] {
  switch (record.type) {
    case 'LeaderChange':
      return [LEADER_CHANGE, encode(leaderChangeMessage, record.value.version, record.value)]
    case 'SnapshotHeader':
      return [SNAPSHOT_HEADER, encode(snapshotHeaderRecord, record.value.version, record.value)]
    case 'SnapshotFooter':
      return [SNAPSHOT_FOOTER, encode(snapshotFooterRecord, record.value.version, record.value)]
    case 'KRaftVersion':
      return [KRAFT_VERSION, encode(kRaftVersionRecord, record.value.version, record.value)]
    case 'Voters':
      return [VOTERS, encode(votersRecord, record.value.version, record.value)]
  }
}

/** @throws UnknownMetadataRecord, ProtocolError */
export function decodeControlRecord(key: Uint8Array | null, value: Uint8Array | null): ControlRecord {
  if (key?.length !== 4 || value === null || value.length < 2) {
    throw new UnknownMetadataRecord('a control record has no key, or no value')
  }
  const type = (key[2]! << 8) | key[3]!
  switch (type) {
    case LEADER_CHANGE:
      return { type: 'LeaderChange', value: versioned(leaderChangeMessage, value) }
    case SNAPSHOT_HEADER:
      return { type: 'SnapshotHeader', value: versioned(snapshotHeaderRecord, value) }
    case SNAPSHOT_FOOTER:
      return { type: 'SnapshotFooter', value: versioned(snapshotFooterRecord, value) }
    case KRAFT_VERSION:
      return { type: 'KRaftVersion', value: versioned(kRaftVersionRecord, value) }
    case VOTERS:
      return { type: 'Voters', value: versioned(votersRecord, value) }
    default:
      throw new UnknownMetadataRecord(`control record type ${type} is unknown`)
  }
}

/** The message says its version itself, in its first two bytes. */
function versioned<F extends Fields>(schema: Message<F>, value: Uint8Array): ValueOf<F> {
  const version = (value[0]! << 8) | value[1]!
  if (!inRange(version, schema.versions)) {
    throw new UnknownMetadataRecord(`${schema.name} has unknown version ${version}`)
  }
  return decode(schema, version, value)
}
