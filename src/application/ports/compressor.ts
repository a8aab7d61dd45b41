/** The codecs of a record batch, by the names of `compression.type`. */
export type CompressionCodec = 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Compresses and decompresses the records section of a batch in the framings that Kafka's clients use. */
export interface Compressor {
  /** `level` is the codec's own scale (`compression.gzip.level` …); absent = the codec's default. */
  compress(codec: CompressionCodec, bytes: Uint8Array, level?: number): Uint8Array
  /**
   * The plain bytes, or an error when the input is not in the codec's framing, is damaged, or would grow past
   * `bytesMax` (which bounds memory: a small frame may claim gigabytes).
   * @throws CorruptCompressedData
   */
  decompress(codec: CompressionCodec, bytes: Uint8Array, bytesMax: number): Uint8Array
}

/** The input of `decompress` is damaged or too large. */
export class CorruptCompressedData extends Error {
  override readonly name = 'CorruptCompressedData'
  /** The bytes may be fine, but hold more than `bytesMax`. */
  readonly tooLarge: boolean

  constructor(message: string, options: { readonly tooLarge?: boolean; readonly cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.tooLarge = options.tooLarge ?? false
  }
}
