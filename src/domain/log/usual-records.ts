/**
 * The quick look at a records section: one pass over records of the usual kind (no headers, numbers of a few bytes).
 *
 * It only ever says yes: `null` means that something unusual came up, right or wrong, and that `scanRecords`, which
 * knows every shape and Kafka's words for what is malformed, must look. With 100-byte records this pass is the larger
 * part of what an append costs, hence the hand-written numbers.
 */

export interface UsualRecords {
  /** Offset deltas run 0, 1, 2, … */
  readonly sequential: boolean
  readonly withoutKey: number
  /** Of the timestamp deltas; 0 when there are no records. */
  readonly min: number
  readonly max: number
}

/** Reads past the end yield undefined, which counts as zero: a record's end is checked against that of the section. */
export function scanUsualRecords(bytes: Uint8Array, count: number): UsualRecords | null {
  const end = bytes.length
  let at = 0
  let sequential = true
  let withoutKey = 0
  let min = 0
  let max = 0
  for (let i = 0; i < count; i++) {
    let b = bytes[at++]!
    let raw = b
    if (b > 0x7f) {
      raw = (b & 0x7f) | ((b = bytes[at++]!) << 7)
      if (b > 0x7f) {
        raw = (raw & 0x3fff) | ((b = bytes[at++]!) << 14)
        if (b > 0x7f) return null
      }
    }
    const recordEnd = at + (raw >>> 1)
    if ((raw & 1) !== 0 || recordEnd > end) return null
    at++ // attributes: unused

    raw = b = bytes[at++]!
    if (b > 0x7f) {
      raw = (b & 0x7f) | ((b = bytes[at++]!) << 7)
      if (b > 0x7f) {
        raw = (raw & 0x3fff) | ((b = bytes[at++]!) << 14)
        if (b > 0x7f) return null
      }
    }
    const delta = (raw >>> 1) ^ -(raw & 1)
    if (i === 0) min = max = delta
    else if (delta < min) min = delta
    else if (delta > max) max = delta

    raw = b = bytes[at++]!
    if (b > 0x7f) {
      raw = (b & 0x7f) | ((b = bytes[at++]!) << 7)
      if (b > 0x7f) {
        raw = (raw & 0x3fff) | ((b = bytes[at++]!) << 14)
        if (b > 0x7f) return null
      }
    }
    if (raw !== i << 1) sequential = false

    raw = b = bytes[at++]!
    if (raw === 1) withoutKey++
    else {
      if (b > 0x7f) {
        raw = (b & 0x7f) | ((b = bytes[at++]!) << 7)
        if (b > 0x7f) return null
      }
      if ((raw & 1) !== 0) return null
      at += raw >>> 1
    }

    raw = b = bytes[at++]!
    if (raw !== 1) {
      if (b > 0x7f) {
        raw = (b & 0x7f) | ((b = bytes[at++]!) << 7)
        if (b > 0x7f) {
          raw = (raw & 0x3fff) | ((b = bytes[at++]!) << 14)
          if (b > 0x7f) return null
        }
      }
      if ((raw & 1) !== 0) return null
      at += raw >>> 1
    }
    if (bytes[at++] !== 0 || at !== recordEnd) return null
  }
  return at === end ? { sequential, withoutKey, min, max } : null
}
