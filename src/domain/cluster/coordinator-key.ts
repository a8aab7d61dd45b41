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
