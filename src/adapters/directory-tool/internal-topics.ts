/** The records of topics that brokers write for themselves, decoded where there is a codec; others as they are. */
import type { RecordCodec } from '../../application/ports/record-codec.ts'
import { GroupRecordCodec } from '../internal-records/group-record-codec.ts'
import { TransactionRecordCodec } from '../internal-records/transaction-record-codec.ts'
import { messageOf } from './findings.ts'

/** What a record says, or why that cannot be told. */
export type Decoded = { readonly record: unknown } | { readonly undecodable: string }

export type Decode = (key: Uint8Array, value: Uint8Array | null) => Decoded

const codecs: Readonly<Record<string, () => Pick<RecordCodec<object>, 'decode'>>> = {
  __consumer_offsets: () => new GroupRecordCodec(),
  // the level decides what is written, and nothing is
  __transaction_state: () => new TransactionRecordCodec(() => 0),
}

/** null = the topic is not internal, or there is no codec for it. */
export function decoderFor(topic: string): Decode | null {
  const codec = codecs[topic]?.()
  if (codec === undefined) return null
  return (key, value) => {
    try {
      const record = codec.decode(key, value)
      return record === null ? { undecodable: 'its type or version is unknown' } : { record }
    } catch (error) {
      return { undecodable: messageOf(error) }
    }
  }
}
