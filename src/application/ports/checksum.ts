/** CRC-32C (Castagnoli), the checksum of record batches and producer snapshots. */
export interface Checksum {
  /** The unsigned 32-bit CRC-32C of `bytes`; `previous` continues an earlier result (default: start anew). */
  crc32c(bytes: Uint8Array, previous?: number): number
}
