/** zstd by node:zlib where Node has it (22.15 and later), else by WebAssembly. */
import { createRequire } from 'node:module'
import { tooLarge, type FramedCodec } from './framed-codec.ts'
import { isOverflow } from './gzip.ts'
import { plainBytesMax } from './zstd-frames.ts'
import { ZstdWasm } from './zstd-wasm.ts'

/** What the types of Node 20 do not know yet. */
interface NodeZstd {
  zstdCompressSync?: (bytes: Uint8Array, options: { readonly params: Readonly<Record<number, number>> }) => Uint8Array
  zstdDecompressSync?: (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array
}

const DEFAULT_LEVEL = 3
/** ZSTD_c_compressionLevel of the C library. */
const LEVEL_PARAMETER = 100

export function zstdCodec(): FramedCodec {
  const { zstdCompressSync, zstdDecompressSync } = createRequire(import.meta.url)('node:zlib') as NodeZstd
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return new ZstdWasm()
  return {
    compress: (bytes, level = DEFAULT_LEVEL) => zstdCompressSync(bytes, { params: { [LEVEL_PARAMETER]: level } }),
    decompress: (bytes, bytesMax) => {
      plainBytesMax(bytes) // refuses what is cut off
      try {
        return zstdDecompressSync(bytes, { maxOutputLength: Math.max(bytesMax, 1) })
      } catch (error) {
        if (isOverflow(error)) throw tooLarge('zstd', bytesMax)
        throw error
      }
    },
  }
}
