/**
 * The leader epochs of one log: from which offset on each epoch wrote. Kafka keeps them in `leader-epoch-checkpoint`
 * and answers OffsetForLeaderEpoch from them (KIP-101, KIP-279).
 */

export interface LeaderEpochEntry {
  readonly epoch: number
  readonly startOffset: bigint
}
