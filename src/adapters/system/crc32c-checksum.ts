/**
 * CRC-32C by the native package @node-rs/crc32, or in JavaScript where its binary does not load (an odd platform).
 * Loaded when there was enough to check that it is worth the time: a start of the broker is over before.
 */
import { createRequire } from 'node:module'
import type * as NativeCrc from '@node-rs/crc32'
import type { Checksum } from '../../application/ports/checksum.ts'
import { portableCrc32c } from './portable-crc32c.ts'

const require = createRequire(import.meta.url)

/** So much is checked in JavaScript in the time that loading the binary takes. */
const WORTH_LOADING_BYTES = 65_536

type Crc32c = (bytes: Uint8Array, previous?: number) => number

export class Crc32cChecksum implements Checksum {
  #checksum: Crc32c = portableCrc32c
  #bytesLeft = WORTH_LOADING_BYTES

  crc32c(bytes: Uint8Array, previous = 0): number {
    if (this.#bytesLeft > 0) {
      this.#bytesLeft -= bytes.length
      if (this.#bytesLeft <= 0) this.#checksum = loadChecksum()
    }
    return this.#checksum(bytes, previous)
  }
}

function loadChecksum(): Crc32c {
  try {
    return loadNative().crc32c
  } catch {
    // no binary for this platform: the answer is the same, and later
    return portableCrc32c
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
