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
