import type * as Crypto from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Random } from '../../application/ports/random.ts'
import { METADATA_TOPIC_ID, ZERO_UUID, type Uuid } from '../../domain/uuid.ts'

/** What six bytes can say. */
const DRAWN = 2 ** 48

/** The operating system's randomness. */
export class SystemRandom implements Random {
  uuid(): Uuid {
    for (;;) {
      const bytes = randomBytes(16)
      // The version and variant bits of RFC 9562, as Java's UUIDs have them.
      bytes[6] = (bytes[6]! & 0x0f) | 0x40
      bytes[8] = (bytes[8]! & 0x3f) | 0x80
      const uuid = bytes.toString('base64url')
      if (!uuid.includes('-') && uuid !== ZERO_UUID && uuid !== METADATA_TOPIC_ID) return uuid
    }
  }

  integer(below: number): number {
    // What lies above the last whole multiple would favour small numbers.
    const fair = DRAWN - (DRAWN % below)
    for (;;) {
      const drawn = randomBytes(6).readUIntBE(0, 6)
      if (drawn < fair) return drawn % below
    }
  }
}

/**
 * From the kernel itself where it has a file for that: a start draws a few ids, for which loading `node:crypto` would
 * take longer than most of what it does.
 */
function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count)
  if (fromKernel(bytes)) return bytes
  return (createRequire(import.meta.url)('node:crypto') as typeof Crypto).randomBytes(count)
}

function fromKernel(bytes: Buffer): boolean {
  let fd: number
  try {
    fd = openSync('/dev/urandom', 'r')
  } catch {
    // Windows, or a root directory without devices
    return false
  }
  try {
    return readSync(fd, bytes) === bytes.length
  } finally {
    closeSync(fd)
  }
}
