/**
 * XXH3-64 with seed 0 and the standard secret: the hash in `metadataHash` of group records.
 *
 * Facts: the public XXH3 specification (xxHash 0.8). In JavaScript's big integers, because it runs only when the topics
 * of a group change; it is no hash for a hot path.
 */
const PRIME32_1 = 0x9e3779b1n
const PRIME32_2 = 0x85ebca77n
const PRIME32_3 = 0xc2b2ae3dn
const PRIME64_1 = 0x9e3779b185ebca87n
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn
const PRIME64_3 = 0x165667b19e3779f9n
const PRIME64_4 = 0x85ebca77c2b2ae63n
const PRIME64_5 = 0x27d4eb2f165667c5n
const PRIME_MX1 = 0x165667919e3779f9n
const PRIME_MX2 = 0x9fb21c651e98df25n

const SECRET = Uint8Array.from(
  (
    'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221' +
    'b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8' +
    'fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb17' +
    '0ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e'
  ).match(/../g)!,
  (pair) => parseInt(pair, 16),
)
const secret = new DataView(SECRET.buffer)

const STRIPE = 64
const STRIPES_PER_BLOCK = 16
const BLOCK = STRIPE * STRIPES_PER_BLOCK
const LAST_STRIPE_SECRET = SECRET.length - STRIPE - 7

/** The hash as the signed 64-bit number that records hold. */
export function xxh3(bytes: Uint8Array): bigint {
  const input = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return BigInt.asIntN(64, hash(input, bytes.byteLength))
}

function hash(input: DataView, length: number): bigint {
  if (length > 240) return hashLong(input, length)
  if (length > 128) return hashUpTo240(input, length)
  if (length > 16) return hashUpTo128(input, length)
  if (length > 8) return hashUpTo16(input, length)
  if (length >= 4) return hashUpTo8(input, length)
  if (length > 0) return hashUpTo3(input, length)
  return avalanche64(key(56) ^ key(64))
}

function hashUpTo3(input: DataView, length: number): bigint {
  const first = input.getUint8(0)
  const middle = input.getUint8(length >> 1)
  const last = input.getUint8(length - 1)
  const combined = BigInt(((first << 16) | (middle << 24) | last | (length << 8)) >>> 0)
  return avalanche64(combined ^ BigInt((secret.getUint32(0, true) ^ secret.getUint32(4, true)) >>> 0))
}

function hashUpTo8(input: DataView, length: number): bigint {
  const low = BigInt(input.getUint32(length - 4, true))
  const high = BigInt(input.getUint32(0, true))
  let h = (low + (high << 32n)) ^ key(8) ^ key(16)
  h ^= rotateLeft(h, 49n) ^ rotateLeft(h, 24n)
  h = u64(h * PRIME_MX2)
  h ^= (h >> 35n) + BigInt(length)
  h = u64(h * PRIME_MX2)
  return h ^ (h >> 28n)
}

function hashUpTo16(input: DataView, length: number): bigint {
  const low = word(input, 0) ^ key(24) ^ key(32)
  const high = word(input, length - 8) ^ key(40) ^ key(48)
  return avalanche(u64(BigInt(length) + swapBytes(low) + high + foldedProduct(low, high)))
}

function hashUpTo128(input: DataView, length: number): bigint {
  let sum = BigInt(length) * PRIME64_1
  for (let i = (length - 1) >> 5; i >= 0; i--) {
    sum += mix16(input, i * 16, i * 32) + mix16(input, length - (i + 1) * 16, i * 32 + 16)
  }
  return avalanche(u64(sum))
}

function hashUpTo240(input: DataView, length: number): bigint {
  let sum = BigInt(length) * PRIME64_1
  for (let i = 0; i < 8; i++) sum += mix16(input, i * 16, i * 16)
  let end = mix16(input, length - 16, 119)
  for (let i = 8; i < length >> 4; i++) end += mix16(input, i * 16, (i - 8) * 16 + 3)
  return avalanche(u64(avalanche(u64(sum)) + end))
}

function hashLong(input: DataView, length: number): bigint {
  const lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1]
  const blocks = Math.floor((length - 1) / BLOCK)
  for (let block = 0; block < blocks; block++) {
    for (let n = 0; n < STRIPES_PER_BLOCK; n++) accumulate(lanes, input, block * BLOCK + n * STRIPE, n * 8)
    scramble(lanes)
  }
  const stripes = Math.floor((length - 1 - blocks * BLOCK) / STRIPE)
  for (let n = 0; n < stripes; n++) accumulate(lanes, input, blocks * BLOCK + n * STRIPE, n * 8)
  accumulate(lanes, input, length - STRIPE, LAST_STRIPE_SECRET)
  let sum = BigInt(length) * PRIME64_1
  for (let i = 0; i < 4; i++)
    sum += foldedProduct(lanes[2 * i]! ^ key(11 + 16 * i), lanes[2 * i + 1]! ^ key(19 + 16 * i))
  return avalanche(u64(sum))
}

function accumulate(lanes: bigint[], input: DataView, at: number, secretAt: number): void {
  for (let i = 0; i < 8; i++) {
    const value = word(input, at + 8 * i)
    const keyed = value ^ key(secretAt + 8 * i)
    lanes[i ^ 1] = u64(lanes[i ^ 1]! + value)
    lanes[i] = u64(lanes[i]! + (keyed & 0xffffffffn) * (keyed >> 32n))
  }
}

function scramble(lanes: bigint[]): void {
  for (let i = 0; i < 8; i++) {
    const lane = lanes[i]!
    lanes[i] = u64((lane ^ (lane >> 47n) ^ key(SECRET.length - STRIPE + 8 * i)) * PRIME32_1)
  }
}

function mix16(input: DataView, at: number, secretAt: number): bigint {
  return foldedProduct(word(input, at) ^ key(secretAt), word(input, at + 8) ^ key(secretAt + 8))
}

/** The 128-bit product with its halves exclusive-or'ed. */
function foldedProduct(a: bigint, b: bigint): bigint {
  const product = a * b
  return u64(product) ^ (product >> 64n)
}

function avalanche(value: bigint): bigint {
  const h = u64((value ^ (value >> 37n)) * PRIME_MX1)
  return h ^ (h >> 32n)
}

/** The finish of the older XXH64, which XXH3 takes for its shortest inputs. */
function avalanche64(value: bigint): bigint {
  let h = u64((value ^ (value >> 33n)) * PRIME64_2)
  h = u64((h ^ (h >> 29n)) * PRIME64_3)
  return h ^ (h >> 32n)
}

function swapBytes(value: bigint): bigint {
  let swapped = 0n
  for (let i = 0n; i < 64n; i += 8n) swapped = (swapped << 8n) | ((value >> i) & 0xffn)
  return swapped
}

function rotateLeft(value: bigint, bits: bigint): bigint {
  return u64(value << bits) | (value >> (64n - bits))
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}

function word(input: DataView, at: number): bigint {
  return input.getBigUint64(at, true)
}

function key(at: number): bigint {
  return secret.getBigUint64(at, true)
}
