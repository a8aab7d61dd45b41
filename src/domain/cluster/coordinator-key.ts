/**
 * What a coordinator is asked for: consumer groups and transactions by any string, share partitions by a key of three
 * parts (KIP-932).
 */

/** Whether a share coordinator can be asked for this key: `<group>:<topic id>:<partition>`, the group not empty. */
export function isShareKey(key: string): boolean {
  const match = /^(.+):([A-Za-z0-9_-]{22}):([+-]?\d{1,10})$/s.exec(key)
  if (match === null) return false
  const partition = Number(match[3])
  return partition >= -2147483648 && partition <= 2147483647
}

/** Java's `String.hashCode`: an int32 over UTF-16 units. */
function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/** The partition of an internal topic that a key's records go to. */
export function partitionForKey(key: string, partitions: number): number {
  const hash = javaHash(key)
  // As Java's Utils.abs: the smallest int has no positive counterpart and counts as 0.
  return hash === -2147483648 ? 0 : Math.abs(hash) % partitions
}
