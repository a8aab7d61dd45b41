/** CRC-32C (Castagnoli) in plain JavaScript, eight bytes a step ("slicing by eight"). */

const POLYNOMIAL = 0x82f63b78
let tables: readonly Uint32Array[] | null = null

/** Unsigned; `previous` continues an earlier result. */
export function portableCrc32c(bytes: Uint8Array, previous = 0): number {
  tables ??= makeTables()
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as readonly [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ]
  const length = bytes.length
  let crc = ~previous
  let at = 0
  for (; at <= length - 8; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!
  }
  for (; at < length; at++) crc = t0[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Table k advances a byte by k more zero bytes. Constant, so sharing it between brokers shares no state. */
function makeTables(): Uint32Array[] {
  const first = new Uint32Array(256)
  for (let i = 0; i < 256; i++) {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    first[i] = crc
  }
  const made = [first]
  for (let k = 1; k < 8; k++) {
    const before = made[k - 1]!
    made.push(before.map((crc) => first[crc & 0xff]! ^ (crc >>> 8)))
  }
  return made
}
