/**
 * `<base>.txnindex`: the aborted transactions whose markers lie in a segment, 34 bytes each, as Kafka writes them. No
 * file when there are none. A torn last entry is passed over: recovery finds the marker in the log.
 */
import type { AbortedTransaction } from '../../domain/log/aborted-transaction.ts'

export const ABORTED_ENTRY_BYTES = 34
const VERSION = 0

export function parseAborted(bytes: Uint8Array): AbortedTransaction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const aborted: AbortedTransaction[] = []
  for (let at = 0; at + ABORTED_ENTRY_BYTES <= bytes.byteLength; at += ABORTED_ENTRY_BYTES) {
    if (view.getInt16(at) !== VERSION) break
    aborted.push({
      producerId: view.getBigInt64(at + 2),
      firstOffset: view.getBigInt64(at + 10),
      lastOffset: view.getBigInt64(at + 18),
      lastStableOffset: view.getBigInt64(at + 26),
    })
  }
  return aborted
}

export function formatAborted(aborted: readonly AbortedTransaction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(aborted.length * ABORTED_ENTRY_BYTES))
  aborted.forEach(({ producerId, firstOffset, lastOffset, lastStableOffset }, i) => {
    const at = i * ABORTED_ENTRY_BYTES
    view.setInt16(at, VERSION)
    view.setBigInt64(at + 2, producerId)
    view.setBigInt64(at + 10, firstOffset)
    view.setBigInt64(at + 18, lastOffset)
    view.setBigInt64(at + 26, lastStableOffset)
  })
  return new Uint8Array(view.buffer)
}
