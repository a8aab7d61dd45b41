/**
 * Records of `__transaction_state` ↔ bytes. A key is its type (int16, always 0) and its message; a value is its
 * version (int16) and its message.
 */
import type { RecordCodec } from '../../application/ports/record-codec.ts'
import type { TransactionRecord } from '../../domain/transactions/transaction-record.ts'
import { codecOf } from '../codec/codec.ts'
import { Reader } from '../codec/reader.ts'
import { inRange, type Message } from '../codec/schema.ts'
import { Writer } from '../codec/writer.ts'
import { transactionLogKey, transactionLogValue } from './transaction-record-schemas.ts'

const KEY_TYPE = 0

export class TransactionRecordCodec implements RecordCodec<TransactionRecord> {
  readonly #writer = new Writer()
  readonly #transactionVersion: () => number

  /** @param transactionVersion - the finalized level of `transaction.version`, which says what is written */
  constructor(transactionVersion: () => number) {
    this.#transactionVersion = transactionVersion
  }

  encode({ transactionalId, value }: TransactionRecord): {
    readonly key: Uint8Array
    readonly value: Uint8Array | null
  } {
    const key = this.#write(transactionLogKey, KEY_TYPE, { transactionalId })
    if (value === null) return { key, value: null }
    return { key, value: this.#write(transactionLogValue, this.#transactionVersion() >= 1 ? 1 : 0, value) }
  }

  #write(schema: Message, version: number, value: unknown): Uint8Array {
    const codec = codecOf<never>(schema as Message<never>, version)
    const chunks = this.#writer.message((writer) => {
      writer.view.setInt16(writer.position, version)
      writer.position += 2
      codec.write(writer, value as never)
    })
    return chunks.length === 1 ? new Uint8Array(chunks[0]!) : Buffer.concat(chunks)
  }

  decode(key: Uint8Array, value: Uint8Array | null): TransactionRecord | null {
    if (int16At(key) !== KEY_TYPE) return null
    const { transactionalId } = codecOf(transactionLogKey, KEY_TYPE).read(new Reader(key, 2))
    if (value === null) return { transactionalId, value: null }
    const version = int16At(value)
    if (!inRange(version, transactionLogValue.versions)) return null
    return { transactionalId, value: codecOf(transactionLogValue, version).read(new Reader(value, 2)) }
  }
}

function int16At(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt16(0)
}
