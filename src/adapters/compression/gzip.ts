/** gzip (RFC 1952) by node:zlib; several members in a row are read as one stream, as Java does. */
import { createRequire } from 'node:module'
import type * as Zlib from 'node:zlib'
import { tooLarge, type FramedCodec } from './framed-codec.ts'

export function gzipCodec(): FramedCodec {
  const { constants, gunzipSync, gzipSync } = createRequire(import.meta.url)('node:zlib') as typeof Zlib
  return {
    compress: (bytes, level = constants.Z_DEFAULT_COMPRESSION) => gzipSync(bytes, { level }),
    decompress: (bytes, bytesMax) => {
      try {
        return gunzipSync(bytes, { maxOutputLength: Math.max(bytesMax, 1) })
      } catch (error) {
        if (isOverflow(error)) throw tooLarge('gzip', bytesMax)
        throw error
      }
    },
  }
}

/** Whether node:zlib stopped at `maxOutputLength`. */
export function isOverflow(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}
