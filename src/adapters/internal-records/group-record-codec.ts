/**
 * Records of `__consumer_offsets` ↔ bytes. A key is its type (int16) and its message; a value is its version (int16)
 * and its message. Written in the versions that Kafka 4.x writes, read in all of them.
 */
import type { RecordCodec } from '../../application/ports/record-codec.ts'
import type { GroupRecord, GroupRecordType, OffsetCommitValue, OpaqueValue } from '../../domain/groups/group-record.ts'
import { codecOf } from '../codec/codec.ts'
import { Reader } from '../codec/reader.ts'
import { inRange, type Message } from '../codec/schema.ts'
import { Writer } from '../codec/writer.ts'
import { groupRecordSchemas, LEGACY_OFFSET_COMMIT, type GroupRecordSchema } from './group-record-schemas.ts'

const byId = new Map<number, { readonly type: GroupRecordType; readonly schema: GroupRecordSchema }>()
for (const [type, schema] of Object.entries(groupRecordSchemas)) {
  byId.set(schema.id, { type: type as GroupRecordType, schema })
}
byId.set(LEGACY_OFFSET_COMMIT, { type: 'OffsetCommit', schema: groupRecordSchemas.OffsetCommit })

export class GroupRecordCodec implements RecordCodec<GroupRecord> {
  readonly #writer = new Writer()

  encode(record: GroupRecord): { readonly key: Uint8Array; readonly value: Uint8Array | null } {
    const schema = groupRecordSchemas[record.type]
    const key = this.#write(schema.id, 0, schema.key, record.key)
    if (record.value === null) return { key, value: null }
    if (schema.value === null) return { key, value: versioned(record.value as OpaqueValue) }
    const version = record.type === 'OffsetCommit' ? offsetVersion(record.value, schema.written) : schema.written
    return { key, value: this.#write(version, version, schema.value, record.value) }
  }

  /** `first` is the int16 before the message. */
  #write(first: number, version: number, schema: Message, value: unknown): Uint8Array {
    const codec = codecOf<never>(schema as Message<never>, version)
    const chunks = this.#writer.message((writer) => {
      writer.view.setInt16(writer.position, first)
      writer.position += 2
      codec.write(writer, value as never)
    })
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  }

  decode(key: Uint8Array, value: Uint8Array | null): GroupRecord | null {
    const known = byId.get(int16At(key))
    if (known === undefined) return null
    const { type, schema } = known
    const decodedKey = read(schema.key, 0, key)
    if (value === null) return { type, key: decodedKey, value: null } as GroupRecord
    const version = int16At(value)
    if (schema.value === null) {
      const opaque: OpaqueValue = { version, bytes: new Uint8Array(value.subarray(2)) }
      return { type, key: decodedKey, value: opaque } as GroupRecord
    }
    if (!inRange(version, schema.value.versions)) return null
    return { type, key: decodedKey, value: read(schema.value, version, value) } as GroupRecord
  }
}

/** Only one version can say when an offset expires; Kafka writes it when a client (OffsetCommit v2 to v4) asks for it. */
function offsetVersion({ expireTimestamp }: OffsetCommitValue, usual: number): number {
  return expireTimestamp === -1n ? usual : 1
}

function int16At(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt16(0)
}

/** The message behind the int16 that `bytes` begin with. */
function read(schema: Message, version: number, bytes: Uint8Array): unknown {
  return codecOf(schema, version).read(new Reader(bytes, 2))
}

function versioned({ version, bytes }: OpaqueValue): Uint8Array {
  const value = new Uint8Array(2 + bytes.length)
  new DataView(value.buffer).setInt16(0, version)
  value.set(bytes, 2)
  return value
}
