import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '../../application/ports/random.ts'
import { METADATA_TOPIC_ID, ZERO_UUID, type Uuid } from '../../domain/uuid.ts'

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
    return randomInt(below)
  }
}
