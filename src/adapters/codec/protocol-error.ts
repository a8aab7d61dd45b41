/** Bytes that are not what the schema says. Whoever sent them has broken the protocol; nothing was done. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}
