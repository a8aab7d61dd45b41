import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { codecOf, encode } from '../../../src/adapters/codec/codec.ts'
import { Reader, readUvarintRest } from '../../../src/adapters/codec/reader.ts'
import type { Message, ValueOf } from '../../../src/adapters/codec/schema.ts'
import * as control from '../../../src/adapters/kraft-metadata/control-record-schemas.ts'
import { recordSchemas } from '../../../src/adapters/kraft-metadata/record-schemas.ts'
import type { MetadataRecord } from '../../../src/domain/cluster/metadata-record.ts'

type Schemas = typeof recordSchemas
type OnDisk = {
  [Name in keyof Schemas]: ValueOf<Schemas[Name]['schema']> & { readonly type: Name }
}[keyof Schemas]

/** Compiles only if schemas and domain agree on every record and field, in both directions. */
const toDomain = (record: OnDisk): MetadataRecord => record
const toDisk = (record: MetadataRecord): OnDisk => record

describe('metadata records', () => {
  it('are those of the domain', () => {
    expect([toDomain, toDisk]).toHaveLength(2)
  })

  it('have ids of their own', () => {
    const ids = Object.values(recordSchemas).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('are named as their schemas are', () => {
    for (const [name, { schema }] of Object.entries(recordSchemas)) expect(schema.name).toBe(name)
  })
})

const golden = fileURLToPath(new URL('../../fixtures/golden/', import.meta.url))

/** Logs and snapshots of the metadata partition, and bootstrap files, as a real broker (4.3.1) wrote them. */
function metadataFiles(): readonly string[] {
  return readdirSync(golden, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /__cluster_metadata-0\/\d+(\.log|-\d+\.checkpoint)$|bootstrap\.checkpoint$/.test(name),
  )
}

interface LogRecord {
  readonly control: boolean
  readonly key: Buffer
  readonly value: Buffer
}

/** The records of a file: uncompressed batches, back to back. */
function* recordsOf(bytes: Buffer): Generator<LogRecord> {
  for (let at = 0; at + 61 <= bytes.length && bytes.readInt32BE(at + 8) > 0; at += 12 + bytes.readInt32BE(at + 8)) {
    const reader = new Reader(bytes, at + 61)
    for (let left = bytes.readInt32BE(at + 57); left > 0; left--) {
      const end = varint(reader) + reader.position
      reader.position++
      varint(reader)
      varint(reader)
      const key = piece(reader)
      const value = piece(reader)
      yield { control: (bytes.readInt16BE(at + 21) & 0x20) !== 0, key, value }
      reader.position = end
    }
  }
}

function uvarint(reader: Reader): number {
  const first = reader.view.getUint8(reader.position++)
  return first < 0x80 ? first : readUvarintRest(reader, first)
}

function varint(reader: Reader): number {
  const n = uvarint(reader)
  return (n >>> 1) ^ -(n & 1)
}

function piece(reader: Reader): Buffer {
  const size = Math.max(0, varint(reader))
  return reader.bytes.subarray(reader.position, (reader.position += size))
}

const controlSchemas: Readonly<Record<number, Message>> = {
  2: control.leaderChangeMessage,
  3: control.snapshotHeaderRecord,
  4: control.snapshotFooterRecord,
  5: control.kRaftVersionRecord,
  6: control.votersRecord,
}

function schemaOf({ control: isControl, key, value }: LogRecord): { schema: Message; version: number; start: number } {
  if (isControl) return { schema: controlSchemas[key.readInt16BE(2)]!, version: value.readInt16BE(), start: 0 }
  const reader = new Reader(value)
  expect(uvarint(reader)).toBe(1)
  const id = uvarint(reader)
  const { schema } = Object.values(recordSchemas).find((record) => record.id === id)!
  return { schema, version: uvarint(reader), start: reader.position }
}

describe('metadata that a real broker wrote', () => {
  const files = metadataFiles()

  it('is there', () => {
    expect(files.length).toBeGreaterThan(5)
  })

  it.each(files)('%s is read to the last byte and written as it was', (file) => {
    for (const record of recordsOf(readFileSync(golden + file))) {
      const { schema, version, start } = schemaOf(record)
      const reader = new Reader(record.value, start)
      const value = codecOf(schema, version).read(reader)
      expect(reader.position).toBe(record.value.length)
      const written = Buffer.from(encode(schema, version, value))
      expect(`${schema.name} ${written.toString('hex')}`).toBe(
        `${schema.name} ${record.value.subarray(start).toString('hex')}`,
      )
    }
  })
})
