/** What each codec of this folder is. */
import { CorruptCompressedData, type CompressionCodec } from '../../application/ports/compressor.ts'

/** One codec in the framing of a record batch. What `decompress` throws means damaged input. */
export interface FramedCodec {
  compress(bytes: Uint8Array, level?: number): Uint8Array
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array
}

/** The error for input that holds more than it may. */
export function tooLarge(codec: CompressionCodec, bytesMax: number): CorruptCompressedData {
  return new CorruptCompressedData(`The ${codec} stream holds more than ${bytesMax} bytes`, { tooLarge: true })
}
