/** Slices of a log: as one piece, for readers that go through the batches (copied only when it came in several); empty. */
import type { LogSlice } from './ports/log-store.ts'

/** Holds as long as the slice is not released. */
export function joinedSlice(slice: LogSlice): Uint8Array {
  if (slice.chunks.length === 1) return slice.chunks[0]!
  const bytes = new Uint8Array(slice.bytes)
  let at = 0
  for (const chunk of slice.chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** Nothing was read at `from`. */
export function emptySlice(from: bigint): LogSlice {
  return { chunks: [], bytes: 0, nextOffset: from, release: () => undefined }
}
