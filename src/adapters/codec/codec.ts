/**
 * The way in: the codec of a message in one version, and bytes ↔ value in one step where a reader or writer would
 * serve once. Readers and writers are compiled when they are first used and then kept with their schema; they are
 * functions of constants and remember nothing.
 */
import { compileReader } from './read-compiler.ts'
import { Reader } from './reader.ts'
import type { Fields, Message, ValueOf, WritableOf } from './schema.ts'
import { compileWriter } from './write-compiler.ts'
import { Writer } from './writer.ts'

export interface Codec<Read, Write> {
  /**
   * Reads at the reader's position and moves it behind the message. What `records` fields hold are slices of the
   * reader's bytes.
   *
   * @throws ProtocolError when the bytes are not what the schema says
   */
  read: (reader: Reader) => Read
  /** Writes at the writer's position: to be called within `Writer.message` or `Writer.frame`. */
  write: (writer: Writer, value: Write) => void
}

const codecs = new WeakMap<Message, Codec<unknown, unknown>[]>()

/** The codec of one version. There is one for each, so it may be kept or asked for again. */
export function codecOf<F extends Fields>(message: Message<F>, version: number): Codec<ValueOf<F>, WritableOf<F>> {
  let versions = codecs.get(message)
  if (versions === undefined) {
    versions = []
    codecs.set(message, versions)
  }
  const codec = (versions[version] ??= lazyCodec(message, version))
  return codec as Codec<ValueOf<F>, WritableOf<F>>
}

function lazyCodec(message: Message, version: number): Codec<unknown, unknown> {
  const codec: Codec<unknown, unknown> = {
    read: (reader) => {
      codec.read = compileReader(message, version)
      return codec.read(reader)
    },
    write: (writer, value) => {
      codec.write = compileWriter(message, version)
      codec.write(writer, value)
    },
  }
  return codec
}

/** The message at the start of `bytes`; what is behind it is ignored. */
export function decode<F extends Fields>(message: Message<F>, version: number, bytes: Uint8Array): ValueOf<F> {
  return codecOf(message, version).read(new Reader(bytes))
}

/** The message alone, in one piece. */
export function encode<F extends Fields>(message: Message<F>, version: number, value: WritableOf<F>): Uint8Array {
  const codec = codecOf(message, version)
  const chunks = new Writer(512).message((writer) => {
    codec.write(writer, value)
  })
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
}
