/**
 * The Compressor port: gzip and (where Node has it) zstd from node:zlib, snappy and lz4 from native packages, zstd
 * from WebAssembly otherwise. Each codec is loaded when the first batch needs it. Synchronous, like the append that it
 * serves: order is worth more than the few milliseconds of a large batch.
 */
import { CorruptCompressedData, type CompressionCodec, type Compressor } from '../../application/ports/compressor.ts'
import { tooLarge, type FramedCodec } from './framed-codec.ts'
import { gzipCodec } from './gzip.ts'
import { lz4Codec } from './lz4.ts'
import { snappyCodec } from './snappy.ts'
import { zstdCodec } from './zstd.ts'

const makers: Readonly<Record<CompressionCodec, () => FramedCodec>> = {
  gzip: gzipCodec,
  snappy: snappyCodec,
  lz4: lz4Codec,
  zstd: zstdCodec,
}

export class CodecCompressor implements Compressor {
  readonly #codecs = new Map<CompressionCodec, FramedCodec>()

  compress(codec: CompressionCodec, bytes: Uint8Array, level?: number): Uint8Array {
    return this.#codec(codec).compress(bytes, level)
  }

  decompress(codec: CompressionCodec, bytes: Uint8Array, bytesMax: number): Uint8Array {
    const framed = this.#codec(codec)
    let plain: Uint8Array
    try {
      plain = framed.decompress(bytes, bytesMax)
    } catch (cause) {
      if (cause instanceof CorruptCompressedData) throw cause
      throw new CorruptCompressedData(`Not a ${codec} stream`, { cause })
    }
    if (plain.length > bytesMax) throw tooLarge(codec, bytesMax)
    return plain
  }

  #codec(codec: CompressionCodec): FramedCodec {
    let framed = this.#codecs.get(codec)
    if (framed === undefined) this.#codecs.set(codec, (framed = makers[codec]()))
    return framed
  }
}
