import type { Uuid } from '../../domain/uuid.ts'

/** Randomness as an input, so that a seed reproduces a run. */
export interface Random {
  /** A random topic, directory or member id, never a reserved one and never with a `-` (Kafka 4.4 draws those again). */
  uuid(): Uuid
  /** A whole number in `[0, below)`; `below` is at most 2^32. */
  integer(below: number): number
}
