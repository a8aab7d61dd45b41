/** gzip (RFC 1952) by node:zlib; several members in a row are read as one stream, as Java does. */
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { tooLarge, type FramedCodec } from './framed-codec.ts'

export function gzipCodec(): FramedCodec {
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
