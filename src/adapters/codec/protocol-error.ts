/** Bytes that are not what the schema says. Whoever sent them has broken the protocol; nothing was done. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/**
 * An access past the end of a buffer. Told by its name, because an embedder's test runner may run us in a realm of
 * our own, where an error thrown by Node itself is no instance of our RangeError.
 */
export function isRangeError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'RangeError'
}
