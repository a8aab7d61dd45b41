/**
 * What members of classic groups with the protocol type 'consumer' write into their metadata
 * (ConsumerProtocolSubscription): the broker reads no more of it than the topics, which every version begins with.
 */
import { utf8 } from '../log/record.ts'

/** The protocol type of consumers; others ('connect', 'sr' …) are opaque to the broker. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** The topics of a subscription, or null when the bytes are none. */
export function subscribedTopics(metadata: Uint8Array): readonly string[] | null {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength)
  if (metadata.length < 6 || view.getInt16(0) < 0) return null
  const topics: string[] = []
  let at = 6
  for (let left = view.getInt32(2); left > 0; left--) {
    if (at + 2 > metadata.length) return null
    const length = view.getInt16(at)
    at += 2
    if (length < 0 || at + length > metadata.length) return null
    topics.push(utf8(metadata.subarray(at, at + length)))
    at += length
  }
  return topics
}
