/** What a log tells the directory that it lies in. */
export interface LogKeeper {
  /** The start offset moved up into a segment: only the checkpoint file says so. */
  saveStartOffset(): Promise<void>
  /** Where the next compaction begins, as it was last saved. */
  firstDirtyOffset(): bigint | null
  saveFirstDirtyOffset(offset: bigint): Promise<void>
  /** The log is about to be cut below its recovery point. */
  saveRecoveryPoint(): Promise<void>
  /** I/O failed; told once. */
  offline(error: unknown): void
}
