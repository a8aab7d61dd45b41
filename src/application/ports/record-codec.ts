/** The records of an internal topic ↔ the keys and values of its log. */
export interface RecordCodec<Record> {
  /** Key and value in memory of their own; a null value is a tombstone. */
  encode(record: Record): { readonly key: Uint8Array; readonly value: Uint8Array | null }
  /**
   * The record, in memory of its own; null when its type, or the version of its value, is newer than this codec: it
   * is left alone, as Kafka leaves what a newer broker wrote.
   * @throws when the bytes are not what their type says
   */
  decode(key: Uint8Array, value: Uint8Array | null): Record | null
}
