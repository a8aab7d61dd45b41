/**
 * Kafka's producer snapshot, `<offset>.snapshot` version 1, byte for byte: version int16, CRC-32C of what follows it,
 * count int32, then 46 bytes for each producer. An empty state is ten bytes.
 */
import type { Crc32c } from './batch-writer.ts'
import { ProducerStates } from './producer-state.ts'

const VERSION = 1
const HEADER_BYTES = 10
const ENTRY_BYTES = 46
const CRC_COVERS_FROM = 6

/** The states as a snapshot. */
export function encodeProducerSnapshot(states: ProducerStates, crc32c: Crc32c): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + states.size * ENTRY_BYTES)
  const view = new DataView(bytes.buffer)
  view.setInt16(0, VERSION)
  view.setInt32(6, states.size)
  let at = HEADER_BYTES
  for (const entry of states.entries()) {
    view.setBigInt64(at, entry.producerId)
    view.setInt16(at + 8, entry.epoch)
    view.setInt32(at + 10, entry.lastSequence)
    view.setBigInt64(at + 14, entry.lastOffset)
    view.setInt32(at + 22, entry.offsetDelta)
    view.setBigInt64(at + 26, entry.timestamp)
    view.setInt32(at + 34, entry.coordinatorEpoch)
    view.setBigInt64(at + 38, entry.currentTxnFirstOffset)
    at += ENTRY_BYTES
  }
  view.setUint32(2, crc32c(bytes.subarray(CRC_COVERS_FROM)))
  return bytes
}

/** The states in a snapshot, or null when it is damaged or of another version: an earlier one serves as well. */
export function decodeProducerSnapshot(bytes: Uint8Array, crc32c: Crc32c): ProducerStates | null {
  if (bytes.length < HEADER_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = view.getInt32(6)
  if (view.getInt16(0) !== VERSION || bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) return null
  if (view.getUint32(2) !== crc32c(bytes.subarray(CRC_COVERS_FROM))) return null
  const states = new ProducerStates()
  for (let at = HEADER_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    states.restore({
      producerId: view.getBigInt64(at),
      epoch: view.getInt16(at + 8),
      lastSequence: view.getInt32(at + 10),
      lastOffset: view.getBigInt64(at + 14),
      offsetDelta: view.getInt32(at + 22),
      timestamp: view.getBigInt64(at + 26),
      coordinatorEpoch: view.getInt32(at + 34),
      currentTxnFirstOffset: view.getBigInt64(at + 38),
    })
  }
  return states
}
