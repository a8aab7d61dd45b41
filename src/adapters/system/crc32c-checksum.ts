/**
 * CRC-32C by the native package @node-rs/crc32, or in JavaScript where its binary does not load (an odd platform).
 * Loaded with the object, because the first produced batch needs it.
 */
import { createRequire } from 'node:module'
import type * as NativeCrc from '@node-rs/crc32'
import type { Checksum } from '../../application/ports/checksum.ts'
import { portableCrc32c } from './portable-crc32c.ts'

const require = createRequire(import.meta.url)

export class Crc32cChecksum implements Checksum {
  readonly #native: typeof NativeCrc.crc32c | null
  /** Why the native package is not used, for the log; null when it is. */
  readonly fallback: Error | null

  constructor() {
    let native: typeof NativeCrc.crc32c | null = null
    let fallback: Error | null = null
    try {
      native = loadNative().crc32c
    } catch (cause) {
      fallback = new Error('The native CRC-32C did not load', { cause })
    }
    this.#native = native
    this.fallback = fallback
  }

  crc32c(bytes: Uint8Array, previous = 0): number {
    return this.#native === null ? portableCrc32c(bytes, previous) : this.#native(bytes, previous)
  }
}

/** The binary itself where its place is known: the package looks for the kind of the C library first, for some ms. */
function loadNative(): typeof NativeCrc {
  if (process.platform === 'linux') {
    try {
      return require(`@node-rs/crc32-linux-${process.arch}-gnu`) as typeof NativeCrc
    } catch {
      // another C library, or another layout of the installed packages: the package knows
    }
  }
  return require('@node-rs/crc32') as typeof NativeCrc
}
