/**
 * A log directory that cannot be served as it is: damaged, formatted for another node or cluster, or written by
 * something newer. Nothing has been changed in it; the start ends with this message.
 */
export class UnusableDirectory extends Error {
  override readonly name = 'UnusableDirectory'
  readonly file: string
  readonly reason: string
  /** The offset of the damaged batch or record in the metadata log or snapshot, null where there is none. */
  readonly offset: bigint | null

  constructor(file: string, reason: string, offset: bigint | null = null, cause?: unknown) {
    super(`${file}${offset === null ? '' : ` at offset ${offset}`}: ${reason}`, { cause })
    this.file = file
    this.reason = reason
    this.offset = offset
  }
}

/** The text of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
