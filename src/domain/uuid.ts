/**
 * Kafka's UUIDs as this code base holds them: the 22 characters of unpadded base64url that Kafka prints, so that
 * they are map keys and log fields as they stand. Bytes appear only in codecs.
 */

/** 22 characters of unpadded base64url over 16 bytes, most significant first. */
export type Uuid = string

/** 16 zero bytes: "no id" on the wire. */
export const ZERO_UUID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The reserved id one: the topic id of `__cluster_metadata`. */
export const METADATA_TOPIC_ID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ'

const BASE64_URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The same 16 bytes in the form of RFC 9562, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, as Java prints them. */
export function dashedUuid(uuid: Uuid): string {
  let bits = 0n
  for (const char of uuid) bits = (bits << 6n) | BigInt(BASE64_URL.indexOf(char))
  // 22 characters hold 132 bits; the last four are padding.
  const hex = (bits >> 4n).toString(16).padStart(32, '0')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
