/**
 * One metadata record ↔ the value of a log record: frame version (1), record type and record version as unsigned
 * varints, then the message. What is unknown here is refused with its number, never skipped.
 */
import type { MetadataRecord } from '../../domain/cluster/metadata-record.ts'
import type { WritableRecord } from '../../domain/cluster/metadata-version.ts'
import { codecOf } from '../codec/codec.ts'
import { Reader, readUvarintRest } from '../codec/reader.ts'
import type { Message } from '../codec/schema.ts'
import { inRange } from '../codec/schema.ts'
import { Writer, writeUvarint } from '../codec/writer.ts'
import { recordSchemas } from './record-schemas.ts'

const FRAME_VERSION = 1

/** The record's bytes are not a record that this broker knows. */
export class UnknownMetadataRecord extends Error {
  override readonly name = 'UnknownMetadataRecord'
}

const byId = new Map<number, { readonly type: MetadataRecord['type']; readonly schema: Message }>()
for (const [type, { id, schema }] of Object.entries(recordSchemas)) {
  byId.set(id, { type: type as MetadataRecord['type'], schema })
}

/** Writes records one after the other; one object serves a whole commit. */
export class MetadataRecordEncoder {
  readonly #writer = new Writer()

  /** The value of a log record, in memory of its own. */
  encode({ version, record }: WritableRecord): Uint8Array {
    const { id, schema } = recordSchemas[record.type]
    const codec = codecOf<never>(schema as Message<never>, version)
    const chunks = this.#writer.message((writer) => {
      let at = writer.position
      at = writeUvarint(writer.bytes, at, FRAME_VERSION)
      at = writeUvarint(writer.bytes, at, id)
      writer.position = writeUvarint(writer.bytes, at, version)
      codec.write(writer, record as never)
    })
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  }
}

/** Decodes records that lie in one piece of memory. */
export class MetadataRecordDecoder {
  readonly #reader: Reader
  readonly #start: number

  /** @param bytes the memory that every value is a view into */
  constructor(bytes: Uint8Array) {
    this.#reader = new Reader(bytes)
    this.#start = bytes.byteOffset
  }

  /**
   * @throws UnknownMetadataRecord for a type or version that is not in record-schemas.ts
   * @throws ProtocolError when the message is cut short or malformed
   */
  decode(value: Uint8Array): WritableRecord {
    const reader = this.#reader
    reader.position = value.byteOffset - this.#start
    const end = reader.position + value.length
    const frame = readUvarint(reader, end)
    if (frame !== FRAME_VERSION) throw new UnknownMetadataRecord(`record frame version ${frame} is unknown`)
    const id = readUvarint(reader, end)
    const version = readUvarint(reader, end)
    const known = byId.get(id)
    if (known === undefined) throw new UnknownMetadataRecord(`record type ${id} (version ${version}) is unknown`)
    if (!inRange(version, known.schema.versions)) {
      throw new UnknownMetadataRecord(`${known.type} (type ${id}) has unknown version ${version}`)
    }
    const fields = codecOf(known.schema, version).read(reader)
    if (reader.position !== end) {
      throw new UnknownMetadataRecord(`${known.type} ends ${reader.position - end} bytes from the end of its record`)
    }
    return { version, record: { type: known.type, ...fields } as MetadataRecord }
  }
}

function readUvarint(reader: Reader, end: number): number {
  if (reader.position >= end) throw new UnknownMetadataRecord('the record is cut short')
  const first = reader.view.getUint8(reader.position++)
  return first < 0x80 ? first : readUvarintRest(reader, first)
}
